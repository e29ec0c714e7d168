"""`xiangyun mail`, against a real server."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from portal.commands.mail import mail
from tests.mailbox import Mailbox
from tests.platforms import SECRET


def _run(home: Path, *words: str, **settings: str) -> Result:
    environ = {"XIANGYUN_HOME": str(home), "XIANGYUN_SECRET_KEY": SECRET, **settings}
    return CliRunner().invoke(mail, [*words], env=environ)


def test_a_trial_says_what_the_server_answers(mailbox: Mailbox, tmp_path: Path) -> None:
    assert "XIANGYUN_SMTP_URL" in _run(tmp_path, "test", "li@example.cn").output
    there = {"XIANGYUN_SMTP_URL": mailbox.url}
    done = _run(tmp_path, "test", "li@example.cn", **there)
    assert (done.exit_code, done.output.strip()) == (0, "sent")
    assert "邮件测试" in str(mailbox.mails[0]["Subject"])
    mailbox.answers = ["550 go away"]
    refused = _run(tmp_path, "test", "li@example.cn", **there)
    assert refused.exit_code != 0
    assert "550 go away" in refused.output
