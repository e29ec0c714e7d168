"""One CKAN package dict to a `HarvestedRecord`. Pure.

What our fields say in full is taken out; everything else stays in `foreign` under CKAN's own
names, also what was understood but would be written back differently (a licence under another
name, an unusual date), so that export(import(x)) loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from harvesters.ckan.extras import EXTRA_RULES, gives_back, read_extra
from harvesters.codes import CodeBook
from harvesters.languages import best_text
from harvesters.plain_values import keywords_of
from harvesters.record import HarvestedFile, HarvestedRecord

_SHA256 = re.compile(r"(?:sha-?256:)?([0-9a-f]{64})", re.IGNORECASE)


def record_from_package(package: Any, book: CodeBook, *, place: str = "") -> HarvestedRecord:
    """Return the record; `fields` holds only what the package states.

    Raises:
        ValueError: no dict, no id, or neither title nor name; the text says so in Chinese.
    """
    if not isinstance(package, Mapping):
        raise ValueError("记录不是 JSON 对象。")
    rest = _as_usual(package)
    remote_id = _text(rest.pop("id", None))
    if not remote_id:
        raise ValueError("记录缺少 id。")
    fields = _extras(rest, book)
    name = _text(rest.pop("name", None))
    fields["title"] = _title(rest) or name
    if not fields["title"]:
        raise ValueError("记录缺少标题（title）。")
    for read in (_abstract, _keywords, _licence, _contact, _provider):
        read(rest, fields, book)
    _themes(rest, fields, book)
    files = _files(rest, book)
    _openness(rest, fields, files)
    formats = tuple(dict.fromkeys(f.format for f in files if book.find("formats", f.format)))
    if formats:
        fields.setdefault("format", formats)
    return HarvestedRecord(
        remote_id, fields, place, name, _moment(package.get("metadata_modified")), files, rest
    )


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _as_usual(package: Mapping[str, Any]) -> dict[str, Any]:
    """Return the package as CKAN itself would write it, where look-alikes write it otherwise.

    Numbers for ids, texts in several languages, extras as an object, tags as words, one resource
    without a list: what is said so is understood, not left out.
    """
    usual = dict(package)
    if isinstance(usual.get("id"), int) and not isinstance(usual["id"], bool):
        usual["id"] = str(usual["id"])
    for key in ("title", "notes"):
        texts = usual.get(key)
        if isinstance(texts, Mapping):
            usual[key] = best_text((str(k), v) for k, v in texts.items() if isinstance(v, str))
    if isinstance(usual.get("extras"), Mapping):
        usual["extras"] = [{"key": k, "value": v} for k, v in usual["extras"].items()]
    if isinstance(usual.get("tags"), str):
        usual["tags"] = list(keywords_of((usual["tags"],)))
    if isinstance(usual.get("tags"), list):
        usual["tags"] = [{"name": t} if isinstance(t, str) else t for t in usual["tags"]]
    for key in ("resources", "groups"):
        one = usual.get(key)
        if isinstance(one, Mapping):  # one thing, or things by number
            many = bool(one) and all(isinstance(value, Mapping) for value in one.values())
            usual[key] = list(one.values()) if many else [one]
    if isinstance(usual.get("groups"), list):
        usual["groups"] = [{"name": g} if isinstance(g, str) else g for g in usual["groups"]]
    for key in ("extras", "tags", "resources", "groups"):
        if not isinstance(usual.get(key) or [], list):
            raise ValueError(f"记录的 {key} 应为列表。")
    return usual


def _moment(value: Any) -> datetime | None:
    """CKAN's times are UTC without saying so."""
    try:
        moment = datetime.fromisoformat(_text(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _title(rest: dict[str, Any]) -> str:
    title = _text(rest.get("title"))
    if rest.get("title") == title:
        del rest["title"]
    return title


def _extras(rest: dict[str, Any], book: CodeBook) -> dict[str, Any]:
    """Read known keys, from the list and (as ckanext-scheming puts them) from the package.

    An earlier key of the rules' table gives way to a later one: what `jl_` keys say is exact.
    """
    listed = [e for e in rest.pop("extras", None) or [] if isinstance(e, Mapping)]
    values = {key: rest[key] for key in EXTRA_RULES if isinstance(rest.get(key), str)}
    values |= {str(e.get("key")): e.get("value") for e in listed}
    fields: dict[str, Any] = {}
    said: set[str] = set()
    for key in EXTRA_RULES:
        found = read_extra(key, values[key], book) if key in values else None
        if found is not None:
            fields[found[0]] = found[1]
            if found[2]:
                said.add(key)
    kept = [dict(e) for e in listed if not _is_said(e, said, fields)]
    if kept:
        rest["extras"] = kept
    return fields


def _is_said(extra: Mapping[str, Any], said: set[str], fields: Mapping[str, Any]) -> bool:
    """Two keys of one field (access_rights beside jl_open_type): only what the field says goes."""
    key = str(extra.get("key"))
    if key not in said or set(extra) - {"key", "value"}:
        return False
    rule = EXTRA_RULES[key]
    return gives_back(rule.write(fields[rule.field]), extra.get("value"))


def _abstract(rest: dict[str, Any], fields: dict[str, Any], _: CodeBook) -> None:
    if _text(rest.get("notes")):
        fields["abstract"] = rest.pop("notes")


def _keywords(rest: dict[str, Any], fields: dict[str, Any], _: CodeBook) -> None:
    """Free tags are keywords; those of a vocabulary stay as they are."""
    tags = [tag for tag in rest.pop("tags", None) or [] if isinstance(tag, Mapping)]
    free = [tag for tag in tags if not tag.get("vocabulary_id")]
    words = tuple(dict.fromkeys(filter(None, (_text(tag.get("name")) for tag in free))))
    if words:
        fields["keywords"] = words
    if len(free) < len(tags):
        rest["tags"] = [dict(tag) for tag in tags if tag.get("vocabulary_id")]


def _licence(rest: dict[str, Any], fields: dict[str, Any], book: CodeBook) -> None:
    """The address names the version, the id of CKAN's old list often does not."""
    stated = (_text(rest.get("license_url")), _text(rest.get("license_id")))
    code = next(filter(None, (book.find("licences", word) for word in stated if word)), None)
    if code:
        fields.setdefault("licence", code)
        if rest.get("license_id") == code:
            del rest["license_id"]


def _contact(rest: dict[str, Any], fields: dict[str, Any], _: CodeBook) -> None:
    for key, field in (("maintainer", "contact_name"), ("maintainer_email", "contact_email")):
        text = _text(rest.get(key))
        if text and not text.startswith(("{", "[")):  # some hold JSON about a person
            fields.setdefault(field, text)
            if fields[field] == rest[key]:
                del rest[key]


def _provider(rest: dict[str, Any], fields: dict[str, Any], _: CodeBook) -> None:
    organisation = rest.get("organization")
    if isinstance(organisation, Mapping):
        name = _text(organisation.get("title")) or _text(organisation.get("name"))
        if name:
            fields.setdefault("provider_name", name)


def _themes(rest: dict[str, Any], fields: dict[str, Any], book: CodeBook) -> None:
    """Groups whose name or title is one of our themes; the first is the theme, three more go."""
    groups = [g for g in rest.pop("groups", None) or [] if isinstance(g, Mapping)]
    kept, themes = [], [t for t in (fields.get("theme"), *fields.get("more_themes", ())) if t]
    for group in groups:
        theme = _theme_of(group, book)
        if theme and (theme in themes or len(themes) < 4):
            themes += [theme] if theme not in themes else []
            if theme == group.get("name"):
                continue
        kept.append(dict(group))
    if themes:
        fields["theme"] = themes[0]
    if themes[1:]:
        fields["more_themes"] = tuple(themes[1:])
    if kept:
        rest["groups"] = kept


def _theme_of(group: Mapping[str, Any], book: CodeBook) -> str | None:
    words = (_text(group.get(key)) for key in ("name", "title", "display_name"))
    return next(filter(None, (book.find("themes", word) for word in words if word)), None)


def _openness(
    rest: Mapping[str, Any], fields: dict[str, Any], files: tuple[HarvestedFile, ...]
) -> None:
    """What anyone can download is open; whether to believe it is the portal's decision."""
    if "open_type" not in fields and not rest.get("private") and any(f.url for f in files):
        fields["open_type"] = "unconditional"


def _files(rest: dict[str, Any], book: CodeBook) -> tuple[HarvestedFile, ...]:
    resources = rest.pop("resources", None) or []
    return tuple(
        _file(resource, number, book)
        for number, resource in enumerate(resources)
        if isinstance(resource, Mapping)
    )


def _file(resource: Mapping[str, Any], number: int, book: CodeBook) -> HarvestedFile:
    rest = dict(resource)
    name, url, description = (_take(rest, key) for key in ("name", "url", "description"))
    stated = _text(rest.get("format"))
    by_type = book.find("formats", _text(rest.get("mimetype")) or "?")
    code = book.find("formats", stated) or (by_type if not stated else None) or stated
    if rest.get("format") == code:
        del rest["format"]
    size, digest = rest.get("size"), _SHA256.fullmatch(_text(rest.get("hash")))
    return HarvestedFile(
        remote_id=_take(rest, "id") or f"{number}",
        name=name,
        url=url,
        format=code,
        description=description,
        media_type=_take(rest, "mimetype"),
        size_bytes=int(str(size)) if str(size or "").isdigit() else None,
        sha256=digest.group(1).lower() if digest else "",
        modified=_moment(resource.get("last_modified")),
        foreign=rest,
    )


def _take(rest: dict[str, Any], key: str) -> str:
    """Remove a text that the record holds in full; keep what is no text or has outer spaces."""
    text = _text(rest.get(key))
    if rest.get(key) == text and text:
        del rest[key]
    return text
