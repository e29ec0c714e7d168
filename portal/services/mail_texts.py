"""What our mails say: plain text, Chinese. What others wrote stands in it as text, never as a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from portal.rules.mail_address import head_line

FOOT = "\n\n{title}\n{url}\n本邮件由系统自动发送，请勿直接回复。\n"


@dataclass(frozen=True)
class Site:
    """Who writes: the portal's name and its public address without a slash at its end."""

    title: str
    url: str


@dataclass(frozen=True)
class MailText:
    subject: str
    body: str


def _mail(site: Site, subject: str, *paragraphs: str) -> MailText:
    text = "您好：\n\n" + "\n\n".join(p for p in paragraphs if p)
    foot = FOOT.format(title=site.title, url=site.url)
    return MailText(f"【{site.title}】{subject}", text + foot)


def registration(site: Site, token: str) -> MailText:
    return _mail(
        site,
        "完成注册",
        "有人（应当是您本人）用这个邮箱申请注册账号。请在24小时内打开下面的链接，设置用户名和密码：",
        f"{site.url}/register/confirm?token={token}",
        "如果不是您本人操作，不必理会，邮箱不会被使用。",
    )


def registered_already(site: Site, username: str) -> MailText:
    return _mail(
        site,
        "您已有账号",
        f"有人（应当是您本人）用这个邮箱申请注册，但这个邮箱已有账号，用户名是“{head_line(username)}”。",
        f"直接登录：{site.url}/login\n忘记密码：{site.url}/password/forgotten",
        "如果不是您本人操作，不必理会。",
    )


def reset(site: Site, username: str, token: str) -> MailText:
    return _mail(
        site,
        "重设密码",
        f"有人（应当是您本人）申请重设账号“{head_line(username)}”的密码。请在1小时内打开下面的链接：",
        f"{site.url}/password/reset?token={token}",
        "链接只能使用一次。如果不是您本人操作，不必理会，密码不变。",
    )


def password_changed(site: Site, username: str) -> MailText:
    return _mail(
        site,
        "密码已修改",
        f"账号“{head_line(username)}”的密码刚刚被修改，所有已登录的设备须重新登录。",
        f"如果不是您本人操作，请立即重设密码：{site.url}/password/forgotten",
    )


def new_address(site: Site, username: str, token: str) -> MailText:
    return _mail(
        site,
        "确认邮箱",
        f"账号“{head_line(username)}”要把这个邮箱设为联系邮箱。请在24小时内打开下面的链接确认：",
        f"{site.url}/account/email/confirm?token={token}",
        "如果不是您本人操作，不必理会。",
    )


def address_changed(site: Site, username: str) -> MailText:
    return _mail(
        site,
        "联系邮箱已更换",
        f"账号“{head_line(username)}”的联系邮箱已换为另一个地址，今后的邮件不再发到这里。",
        "如果不是您本人操作，请立即联系平台管理员。",
    )


def invitation(site: Site, organisation: str, role: str, inviter: str, token: str) -> MailText:
    return _mail(
        site,
        f"邀请您加入{head_line(organisation, 60)}",
        f"{head_line(inviter)}邀请您以“{role}”的身份加入“{head_line(organisation)}”，"
        "在本平台办理公共数据工作。请在7天内打开下面的链接：",
        f"{site.url}/invitation?token={token}",
        "链接只能使用一次。如果您不认识邀请人，请不要打开。",
    )


def digest(
    site: Site, day: date, open_count: int, urgent: int, unread: int, parts: Sequence[str]
) -> MailText:
    heading = f"{day.month}月{day.day}日待办 {open_count} 件"
    if urgent:
        heading += f"，其中 {urgent} 件已逾期或今天到期"
    elif not open_count:
        heading = f"{unread} 条未读消息"
    return _mail(
        site,
        heading,
        *parts,
        f"办理：{site.url}/work\n消息：{site.url}/notices",
        f"不想再收到每日邮件，可在“我的账号”里关闭：{site.url}/account",
    )


def alerts(site: Site, lines: Sequence[str]) -> MailText:
    return _mail(
        site,
        f"{len(lines)} 件工作即将到期",
        "\n".join(f"- {line}" for line in lines),
        f"办理：{site.url}/work",
    )


def trial(site: Site) -> MailText:
    return _mail(site, "邮件测试", "这是一封测试邮件。您收到它，说明邮件服务已设置好。")
