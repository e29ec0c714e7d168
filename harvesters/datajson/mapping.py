"""One data set of a `data.json` to a `HarvestedRecord`. Pure.

Schema 1.1 (https://resources.data.gov/resources/dcat-us/) and DCAT-US 3, which writes objects
where 1.1 has plain text. What our fields say is taken out; the rest stays in `foreign`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from harvesters.codes import CodeBook
from harvesters.languages import best_text
from harvesters.plain_values import day_of, keywords_of, moment_of, size_of
from harvesters.record import HarvestedFile, HarvestedRecord

_ACCESS = {"public": "unconditional", "restricted public": "conditional", "non-public": "none"}


def identifier_of(dataset: Any) -> str:
    """Return what the data set calls itself; empty if it does not."""
    return _identifier(dataset.get("identifier")) if isinstance(dataset, Mapping) else ""


def record_from_dataset(dataset: Any, book: CodeBook, *, place: str = "") -> HarvestedRecord:
    """Return the record; `fields` holds only what the data set states.

    Raises:
        ValueError: no object, no identifier or no title; the text says so in Chinese.
    """
    if not isinstance(dataset, Mapping):
        raise ValueError("记录不是 JSON 对象。")
    rest = dict(dataset)
    remote_id = _identifier(rest.pop("identifier", None))
    if not remote_id:
        raise ValueError("记录缺少标识（identifier）。")
    title = text_of(rest.pop("title", None))
    if not title:
        raise ValueError("记录缺少标题（title）。")
    fields: dict[str, Any] = {"title": title}
    for read in (_texts, _people, _times, _openness, _themes, _place):
        read(rest, fields, book)
    files = _files(rest.pop("distribution", None), book)
    formats = tuple(dict.fromkeys(f.format for f in files if book.find("formats", f.format)))
    if formats:
        fields["format"] = formats
    modified = _moment(dataset.get("modified"))
    return HarvestedRecord(remote_id, fields, place, "", modified, files, _kept(rest))


def text_of(value: Any) -> str:
    """Return a text out of what JSON-LD may write for one: a string, a value, a map, a list."""
    return best_text(_tagged(value))


def _tagged(value: Any, language: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield language, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield language, str(value)
    elif isinstance(value, list):
        for one in value:
            yield from _tagged(one, language)
    elif isinstance(value, Mapping):
        if "@value" in value:
            yield from _tagged(value["@value"], str(value.get("@language") or ""))
        elif "@id" in value:
            yield from _tagged(value["@id"], language)
        else:
            for key, one in value.items():
                if isinstance(one, str) and not key.startswith("@"):
                    yield key, one


def _identifier(value: Any) -> str:
    """An `Identifier` object of DCAT-US 3 says it by address, or by notation and agency."""
    if isinstance(value, Mapping) and "@id" not in value and "@value" not in value:
        parts = (value.get(key) for key in ("schemaAgency", "notation", "version"))
        return " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())
    return text_of(value)


def _texts(rest: dict[str, Any], fields: dict[str, Any], _: CodeBook) -> None:
    abstract = text_of(rest.pop("description", None))
    if abstract:
        fields["abstract"] = abstract
    words = _words(rest.pop("keyword", None))
    if words:
        fields["keywords"] = words


def _words(value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    return keywords_of(tuple(text_of(one) for one in listed))


def _people(rest: dict[str, Any], fields: dict[str, Any], _: CodeBook) -> None:
    publisher = rest.get("publisher")
    named = publisher.get("name") if isinstance(publisher, Mapping) else publisher
    if text_of(named):
        fields["provider_name"] = text_of(named)
    contacts = rest.get("contactPoint")
    contact = contacts[0] if isinstance(contacts, list) and contacts else contacts
    if not isinstance(contact, Mapping):
        return
    name, mail = text_of(contact.get("fn")), text_of(contact.get("hasEmail"))
    if name:
        fields["contact_name"] = name
    if mail:
        fields["contact_email"] = mail.removeprefix("mailto:").strip()


def _times(rest: dict[str, Any], fields: dict[str, Any], book: CodeBook) -> None:
    modified = _moment(rest.pop("modified", None))
    if modified:
        fields["data_modified"] = modified
    issued = _moment(rest.get("issued"))
    if issued:
        fields["issued"] = issued.date()
    frequency = book.find("update_frequency", text_of(rest.get("accrualPeriodicity")) or "?")
    if frequency:
        fields["update_frequency"] = frequency
        del rest["accrualPeriodicity"]
    for name, day in zip(("temporal_start", "temporal_end"), _period(rest), strict=False):
        if day:
            fields[name] = day


def _period(rest: Mapping[str, Any]) -> tuple[date | None, ...]:
    value = rest.get("temporal")
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        return day_of(text_of(value.get("startDate"))), day_of(text_of(value.get("endDate")))
    start, slash, end = text_of(value).partition("/")
    return (day_of(start), day_of(end)) if slash else (None, None)


def _openness(rest: dict[str, Any], fields: dict[str, Any], book: CodeBook) -> None:
    level = text_of(rest.get("accessLevel")) or text_of(rest.get("accessRights"))
    stated = _ACCESS.get(level.lower()) or book.find("open_types", level or "?")
    if stated:
        fields["open_type"] = stated
    rights = text_of(rest.get("rights"))
    if rights and stated == "conditional":
        fields["open_condition"] = rights
    licence = book.find("licences", text_of(rest.get("license")) or "?")
    if licence:
        fields["licence"] = licence


def _themes(rest: dict[str, Any], fields: dict[str, Any], book: CodeBook) -> None:
    given = rest.get("theme")
    words = [_label(one) for one in (given if isinstance(given, list) else [given])]
    found = (book.find("themes", word.rstrip("/").rpartition("/")[2] or "?") for word in words)
    themes = tuple(dict.fromkeys(filter(None, found)))[:4]
    if themes:
        fields["theme"] = themes[0]
    if themes[1:]:
        fields["more_themes"] = themes[1:]


def _label(value: Any) -> str:
    if isinstance(value, Mapping) and "prefLabel" in value:
        return text_of(value["prefLabel"])
    return text_of(value)


def _place(rest: dict[str, Any], fields: dict[str, Any], book: CodeBook) -> None:
    given = rest.get("spatial")
    region = book.find("regions", _label(given).rstrip("/").rpartition("/")[2] or "?")
    if region:
        fields["region"] = region


def _files(value: Any, book: CodeBook) -> tuple[HarvestedFile, ...]:
    listed = value if isinstance(value, list) else [value]
    made: dict[str, HarvestedFile] = {}
    for number, one in enumerate(listed):
        given = {"downloadURL": one} if isinstance(one, str) and "://" in one else one
        if isinstance(given, Mapping):
            file = _file(given, book)
            key = file.remote_id if file.remote_id not in made else f"{file.remote_id}#{number}"
            made[key] = replace(file, remote_id=key)
    return tuple(made.values())


def _file(given: Mapping[str, Any], book: CodeBook) -> HarvestedFile:
    rest = dict(given)
    download = text_of(rest.pop("downloadURL", None))
    url = download or text_of(rest.pop("accessURL", None))
    title, description = text_of(rest.pop("title", None)), text_of(rest.pop("description", None))
    media_type, stated = text_of(rest.pop("mediaType", None)), text_of(rest.pop("format", None))
    known = (book.find("formats", word) for word in (stated, media_type) if word)
    code = next(filter(None, known), None) or stated or media_type.rpartition("/")[2]
    identifier = text_of(rest.get("identifier")) or text_of(rest.get("@id"))
    return HarvestedFile(
        remote_id=identifier or url or title or "1",
        name=title or url.rstrip("/").rpartition("/")[2],
        url=url,
        format=code,
        description=description,
        media_type=media_type if "/" in media_type else "",
        size_bytes=size_of(text_of(rest.get("byteSize"))),
        modified=_moment(rest.get("modified")),
        foreign=_kept(rest),
    )


def _moment(value: Any) -> datetime | None:
    return moment_of(text_of(value))


def _kept(rest: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rest.items() if value not in (None, "", [], {})}
