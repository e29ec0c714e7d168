"""使用协议: the agreement's text, made from the granted terms alone, and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from extensions.access.rules import UNDERTAKINGS

VERSION = "jl-conditional-1.1"
TITLE = "吉林省公共数据有条件开放使用协议（草案）"


@dataclass(frozen=True)
class Agreement:
    """`text` says everything that was granted; `hash` is its SHA-256 in hexadecimal."""

    version: str
    text: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def write_agreement(
    *,
    number: str,
    provider: str,
    applicant: str,
    dataset: str,
    dataset_code: str,
    purpose: str,
    scenario: str,
    field_names: Sequence[str],
    quota_day: int,
    per_minute: int,
    valid_until: date,
    conditions: str,
    per_second: int | None = None,
    quota_term: int | None = None,
    masked: Sequence[str] = (),
    row_limits: Sequence[str] = (),
    storage: str = "",
) -> Agreement:
    """Return the agreement of one grant; the same terms give the same text."""
    undertakings = "\n".join(f"（{n}）{text}；" for n, text in enumerate(UNDERTAKINGS.values(), 1))
    until = f"{valid_until.year}年{valid_until.month}月{valid_until.day}日"
    more = f"，每秒不超过{per_second:,}次" if per_second else ""
    more += f"，期限内合计不超过{quota_term:,}次" if quota_term else ""
    given = f"脱敏后提供的信息项：{'、'.join(masked)}。" if masked else ""
    given += f"仅提供符合下列条件的数据：{'；'.join(row_limits)}。" if row_limits else ""
    kept = f"存放方式：{storage.strip()}" if storage.strip() else ""
    text = f"""{TITLE}
版本：{VERSION}　申请编号：{number}

数据提供单位：{provider}
数据使用人：{applicant}

一、数据。“{dataset}”（信息资源代码 {dataset_code}）的下列信息项：{"、".join(field_names)}。{given}
二、用途。{purpose.strip()}
三、场景。{scenario.strip()}
四、方式和限额。通过数据接口调用，每日不超过{quota_day:,}次，每分钟不超过{per_minute:,}次{more}。
五、期限。自密钥启用之日起至{until}止。
六、附加条件。{conditions.strip() or "无"}
七、使用人承诺：{kept}
{undertakings}
八、密钥由使用人保管，只在请求头中传送；更换、泄露或停用时及时在平台办理。
九、违反本协议、发生安全事件或法律依据变更的，提供单位和省政务服务和数字化局可以暂停或撤销授权，并告知理由。
十、使用人对审核决定有异议的，可以通过平台投诉，由提供单位在受理后五个工作日内答复。
"""
    return Agreement(VERSION, text)
