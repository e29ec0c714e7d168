"""What the checks say of a version under review, on one page for the reviewer.

The core looks at the profile's rules, at legal bases, at similar entries and at personal
information; extensions add theirs by the manifest (`review_checks`).
"""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext
from sqlalchemy.orm import Session

from portal.codes import code_list
from portal.extension import ReviewCheck, ReviewCheckSource
from portal.models.entry import EntryVersion
from portal.rules.entry_content import EntryContent
from portal.rules.metadata_profile import defects
from portal.services.codes_known import known_codes
from portal.services.content import content_of
from portal.services.release_checks import list_held
from portal.services.similar_entries import Similar

OK, NOTE, BAD = "ok", "note", "bad"


def review_checks(
    session: Session,
    version: EntryVersion,
    similar: Sequence[Similar],
    outside: Sequence[ReviewCheckSource] = (),
) -> list[ReviewCheck]:
    """Return every finding, the worst first."""
    content = content_of(version)
    found = [
        _profile(version, content),
        _legal_basis(content),
        _duplicates(content, similar),
        _personal(content),
        _held(session, version),
        *(check for source in outside for check in source(session, version)),
    ]
    order = {BAD: 0, NOTE: 1, OK: 2}
    return sorted(found, key=lambda check: order[check.level])


def _profile(version: EntryVersion, content: EntryContent) -> ReviewCheck:
    found = defects(content, version.entry.metadata_profile, known_codes())
    if not found:
        return ReviewCheck(gettext("编制规则"), OK, gettext("必填内容齐全，代码和格式正确。"))
    text = gettext("有 %(n)s 处不符合：%(first)s", n=len(found), first=found[0].text())
    return ReviewCheck(gettext("编制规则"), BAD, text)


def _legal_basis(content: EntryContent) -> ReviewCheck:
    """What is not shared or not opened rests on a law, a regulation or a rule (arts. 25, 28)."""
    name = gettext("法律依据")
    parts = []
    if content.share_type in ("authorised", "none"):
        label = code_list("share_types").label(content.share_type)
        parts.append((label, content.share_basis))
    if content.open_type == "none" and "law" in content.closed_ground:
        parts.append((code_list("open_types").label("none"), content.closed_basis))
    if not parts:
        return ReviewCheck(name, OK, gettext("无条件共享并开放，或不以法律规定为由，无须依据。"))
    for label, bases in parts:
        if not any(basis.title and basis.article for basis in bases):
            text = gettext("“%(type)s”没有写明依据的名称和条款。", type=label)
            return ReviewCheck(name, BAD, text, "#content")
    cited = gettext("；").join(
        gettext("%(type)s：《%(title)s》%(article)s", type=label, title=b.title, article=b.article)
        for label, bases in parts
        for b in bases
    )
    return ReviewCheck(name, NOTE, gettext("请核对依据是否适用：%(cited)s", cited=cited))


def _duplicates(content: EntryContent, similar: Sequence[Similar]) -> ReviewCheck:
    name = gettext("一数一源")
    if not similar:
        return ReviewCheck(name, OK, gettext("全省目录中没有发现疑似重复。"))
    reason = content.duplicate_reason.strip() or gettext("（没有填写）")
    text = gettext(
        "疑似与 %(n)s 条目录重复；提交单位的理由：%(reason)s", n=len(similar), reason=reason
    )
    return ReviewCheck(name, NOTE if content.duplicate_reason.strip() else BAD, text, "#similar")


def _personal(content: EntryContent) -> ReviewCheck:
    name = gettext("个人信息")
    marked = [i for i in content.items if i.personal != "none"]
    bare = [i for i in marked if i.open and i.masking in ("", "none")]
    if not marked:
        return ReviewCheck(name, OK, gettext("没有标注为个人信息的信息项。"))
    if bare and content.open_type != "none":
        names = gettext("、").join(item.name for item in bare)
        text = gettext("开放且未脱敏的个人信息项：%(names)s", names=names)
        return ReviewCheck(name, NOTE, text, "#content")
    text = gettext("%(n)s 个个人信息项，均不开放或已有脱敏规则。", n=len(marked))
    return ReviewCheck(name, OK, text)


def _held(session: Session, version: EntryVersion) -> ReviewCheck:
    name = gettext("敏感信息检查")
    held = list_held(session, version.entry_id)
    if not held:
        return ReviewCheck(name, OK, gettext("数据文件中没有待决定的疑似敏感信息。"))
    names = gettext("、").join(one.name for one in held)
    text = gettext("这些文件有疑似敏感信息或没有检查过，尚未决定开放：%(names)s", names=names)
    first = version.entry.published_version_id is None
    return ReviewCheck(name, BAD if first else NOTE, text)
