"""保密审查: what the confidentiality review before opening asks (Measures, arts. 41 and 45)."""

from __future__ import annotations

from collections.abc import Mapping

from portal.errors import Defect

CHECKS = {
    "confidential": "不涉及国家秘密和工作秘密",
    "personal": "不涉及个人隐私和商业秘密，或已取得同意",
    "aggregation": "与其他公开数据汇聚后，不会推断出敏感信息",
    "masking": "需要脱敏的信息项已按规则处理",
}
PASSED, FAILED = "是", "否"
OPINION_MAX = 2000


def review_defects(answers: Mapping[str, str]) -> list[Defect]:
    """Return what keeps the answers from being a passed review, in the order of the form."""
    found = []
    for name, label in CHECKS.items():
        answer = answers.get(name, "")
        if not answer:
            found.append(Defect(name, "missing", "请核对“{label}”。", {"label": label}))
        elif answer != PASSED:
            found.append(
                Defect(
                    name,
                    "not_passed",
                    "“{label}”未通过，不能通过保密审查；请选择“审查不通过”并写明理由。",
                    {"label": label},
                )
            )
    opinion = answers.get("opinion", "").strip()
    if not opinion:
        found.append(Defect("opinion", "missing", "请填写审查意见。"))
    elif len(opinion) > OPINION_MAX:
        found.append(Defect("opinion", "too_long", "审查意见不能超过{n}个字。", {"n": OPINION_MAX}))
    return found
