"""The answers of OAI-PMH: data sets as records, organisations as sets, withdrawals as deletions.

Formats: `oai_dc` (simple Dublin Core, which every provider must speak) and `dcat` (RDF/XML).
Lists are cut by resumption tokens that say where to go on, so that they stay right while the
catalogue changes and need no memory here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from extensions.exchange.changes import settled_until
from extensions.exchange.models.change import CatalogueChange
from extensions.exchange.packages import PublicRecord, find_record, walk_records
from extensions.exchange.position import FormerPosition, Position, read_instant, read_position
from extensions.exchange.reading import (
    extras_of,
    keywords_of,
    modified_of,
    page_of,
    resources_of,
)
from portal.models.organisation import Organisation

OAI = "http://www.openarchives.org/OAI/2.0/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
DC = "http://purl.org/dc/elements/1.1/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SCHEMA = f"{OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
FORMATS = {
    "oai_dc": (f"{OAI_DC[:-1]}.xsd", OAI_DC),
    "dcat": ("https://www.w3.org/ns/dcat.rdf", "http://www.w3.org/ns/dcat#"),
}
AT_ONCE = 100
_ALLOWED: Mapping[str, frozenset[str]] = {
    "Identify": frozenset(),
    "ListMetadataFormats": frozenset({"identifier"}),
    "ListSets": frozenset({"resumptionToken"}),
    "GetRecord": frozenset({"identifier", "metadataPrefix"}),
    "ListIdentifiers": frozenset({"from", "until", "metadataPrefix", "set", "resumptionToken"}),
    "ListRecords": frozenset({"from", "until", "metadataPrefix", "set", "resumptionToken"}),
}
_PREFIXES = {
    "oai_dc": OAI_DC, "dc": DC, "xsi": XSI, "rdf": RDF, "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#", "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
}  # fmt: skip
for _prefix, _uri in _PREFIXES.items():
    ET.register_namespace(_prefix, _uri)


class OaiError(Exception):
    """An error of the protocol, by its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Listing:
    """What a list asks for, and where it goes on."""

    prefix: str
    since: datetime | None
    until: datetime | None
    set_name: str
    after: Position | FormerPosition | None = None

    def token(self) -> str:
        """Return the listing as a resumption token."""
        plain = [
            self.prefix,
            self.since and self.since.isoformat(),
            self.until and self.until.isoformat(),
            self.set_name,
            self.after.text() if isinstance(self.after, Position) else None,
        ]
        return base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("=")


def read_token(text: str) -> Listing:
    """Raises: OaiError, it is none of ours."""
    try:
        prefix, since, until, set_name, after = orjson.loads(
            base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        )
        if prefix not in FORMATS or not isinstance(set_name, str):
            raise ValueError(prefix)
        return Listing(
            prefix,
            read_instant(since) if since else None,
            read_instant(until) if until else None,
            set_name,
            read_position(after) if after else None,
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise OaiError("badResumptionToken", "The resumption token is not valid.") from error


class Provider:
    """Answers one request. Reads the database, never writes."""

    def __init__(self, session: Session, now: datetime, site_url: str, title: str) -> None:
        self._session = session
        self._now = settled_until(session, now)  # what clients name as `from` the next time
        self._site, self._title = site_url, title
        self._host = site_url.split("//")[-1].split("/")[0].split(":")[0]

    def answer(self, given: Mapping[str, Sequence[str]]) -> bytes:
        """Return the XML for the arguments (name -> every value given)."""
        root = ET.Element(_oai("OAI-PMH"), {f"{{{XSI}}}schemaLocation": SCHEMA})
        ET.SubElement(root, _oai("responseDate")).text = _stamp(self._now)
        asked = ET.SubElement(root, _oai("request"))
        asked.text = f"{self._site}/oai"
        try:
            arguments = _arguments(given)
            verb = arguments.pop("verb")
            made = getattr(self, _VERBS[verb])(arguments)
            for name, value in {"verb": verb, **arguments}.items():
                asked.set(name, value)
            root.append(made)
        except OaiError as error:
            ET.SubElement(root, _oai("error"), {"code": error.code}).text = str(error)
        ET.register_namespace("", OAI)
        return ET.tostring(root, encoding="utf-8", xml_declaration=True)

    def _identify(self, _arguments: Mapping[str, str]) -> ET.Element:
        made = ET.Element(_oai("Identify"))
        earliest = self._session.scalar(select(func.min(CatalogueChange.changed_at)))
        values = {
            "repositoryName": self._title,
            "baseURL": f"{self._site}/oai",
            "protocolVersion": "2.0",
            "adminEmail": f"admin@{self._host}",
            "earliestDatestamp": _stamp(earliest or self._now),
            "deletedRecord": "persistent",
            "granularity": "YYYY-MM-DDThh:mm:ssZ",
        }
        for name, value in values.items():
            ET.SubElement(made, _oai(name)).text = value
        return made

    def _formats(self, arguments: Mapping[str, str]) -> ET.Element:
        if "identifier" in arguments:
            self._find(arguments["identifier"])
        made = ET.Element(_oai("ListMetadataFormats"))
        for prefix, (schema, namespace) in FORMATS.items():
            one = ET.SubElement(made, _oai("metadataFormat"))
            ET.SubElement(one, _oai("metadataPrefix")).text = prefix
            ET.SubElement(one, _oai("schema")).text = schema
            ET.SubElement(one, _oai("metadataNamespace")).text = namespace
        return made

    def _sets(self, arguments: Mapping[str, str]) -> ET.Element:
        if "resumptionToken" in arguments:
            raise OaiError("badResumptionToken", "The list of sets comes whole.")
        made = ET.Element(_oai("ListSets"))
        query = select(Organisation.slug, Organisation.name).order_by(Organisation.code)
        for slug, name in self._session.execute(query):
            one = ET.SubElement(made, _oai("set"))
            ET.SubElement(one, _oai("setSpec")).text = slug
            ET.SubElement(one, _oai("setName")).text = name
        return made

    def _record(self, arguments: Mapping[str, str]) -> ET.Element:
        _required(arguments, "identifier")
        prefix = _prefix_of(arguments)
        found = self._find(arguments["identifier"])
        made = ET.Element(_oai("GetRecord"))
        made.append(self._whole(found, prefix))
        return made

    def _records(self, arguments: Mapping[str, str]) -> ET.Element:
        return self._list(arguments, "ListRecords")

    def _identifiers(self, arguments: Mapping[str, str]) -> ET.Element:
        return self._list(arguments, "ListIdentifiers")

    def _list(self, arguments: Mapping[str, str], verb: str) -> ET.Element:
        listing = _listing(arguments)
        records = walk_records(
            self._session,
            self._site,
            after=listing.after,
            since=listing.since,
            until=listing.until,
            provider=listing.set_name,
            rows=AT_ONCE + 1,
        )
        if not records:
            raise OaiError("noRecordsMatch", "No record matches the arguments.")
        made = ET.Element(_oai(verb))
        for record in records[:AT_ONCE]:
            whole = verb == "ListRecords"
            made.append(self._whole(record, listing.prefix) if whole else self._header(record))
        if len(records) > AT_ONCE:
            following = replace(listing, after=records[AT_ONCE - 1].position)
            ET.SubElement(made, _oai("resumptionToken")).text = following.token()
        elif listing.after is not None:
            ET.SubElement(made, _oai("resumptionToken"))
        return made

    def _find(self, identifier: str) -> PublicRecord:
        start = f"oai:{self._host}:"
        found = None
        if identifier.startswith(start):
            found = find_record(self._session, self._site, identifier.removeprefix(start))
        if found is None:
            raise OaiError("idDoesNotExist", "No record has this identifier.")
        return found

    def _header(self, record: PublicRecord) -> ET.Element:
        header = ET.Element(_oai("header"), {"status": "deleted"} if not record.package else {})
        ET.SubElement(header, _oai("identifier")).text = f"oai:{self._host}:{record.public_id}"
        ET.SubElement(header, _oai("datestamp")).text = _stamp(record.noted_at)
        ET.SubElement(header, _oai("setSpec")).text = record.provider
        return header

    def _whole(self, record: PublicRecord, prefix: str) -> ET.Element:
        made = ET.Element(_oai("record"))
        made.append(self._header(record))
        if record.package is not None:
            metadata = ET.SubElement(made, _oai("metadata"))
            metadata.append(
                _dublin_core(record.package, self._site)
                if prefix == "oai_dc"
                else _rdf(record.package, self._site)
            )
        return made


_VERBS = {
    "Identify": "_identify",
    "ListMetadataFormats": "_formats",
    "ListSets": "_sets",
    "GetRecord": "_record",
    "ListIdentifiers": "_identifiers",
    "ListRecords": "_records",
}


def _arguments(given: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the arguments with their verb first.

    Raises:
        OaiError: no verb of the protocol, a repeated argument, or one that the verb lacks.
    """
    verbs = given.get("verb") or [""]
    if len(verbs) != 1 or verbs[0] not in _ALLOWED:
        raise OaiError("badVerb", "The verb is missing, repeated or unknown.")
    verb = verbs[0]
    arguments = {"verb": verb}
    for name, values in given.items():
        if name == "verb":
            continue
        if name not in _ALLOWED[verb] or len(values) != 1 or not values[0]:
            raise OaiError("badArgument", f"Argument not allowed, repeated or empty: {name[:40]}")
        arguments[name] = values[0]
    if "resumptionToken" in arguments and len(arguments) > 2:
        raise OaiError("badArgument", "resumptionToken stands alone.")
    return arguments


def _required(arguments: Mapping[str, str], name: str) -> None:
    if name not in arguments:
        raise OaiError("badArgument", f"{name} is missing.")


def _prefix_of(arguments: Mapping[str, str]) -> str:
    _required(arguments, "metadataPrefix")
    prefix = arguments["metadataPrefix"]
    if prefix not in FORMATS:
        raise OaiError("cannotDisseminateFormat", f"Known formats: {', '.join(FORMATS)}")
    return prefix


def _listing(arguments: Mapping[str, str]) -> Listing:
    if "resumptionToken" in arguments:
        return read_token(arguments["resumptionToken"])
    prefix = _prefix_of(arguments)
    since, until = _instant(arguments, "from"), _instant(arguments, "until")
    same = len(arguments.get("from", "")) == len(arguments.get("until", ""))
    if since and until and (not same or since > until):
        raise OaiError("badArgument", "from and until differ in granularity or order.")
    return Listing(prefix, since, until, arguments.get("set", ""))


def _instant(arguments: Mapping[str, str], name: str) -> datetime | None:
    """Return a bound; a bare day ends, as `until`, with its last instant."""
    text = arguments.get(name)
    if text is None:
        return None
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"):
        try:
            found = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        if name == "until" and form == "%Y-%m-%d":
            return found.replace(hour=23, minute=59, second=59, microsecond=999_999)
        return found.replace(microsecond=999_999) if name == "until" else found
    raise OaiError("badArgument", f"{name} is no date of the form YYYY-MM-DDThh:mm:ssZ.")


def _dublin_core(package: Mapping[str, Any], site_url: str) -> ET.Element:
    made = ET.Element(f"{{{OAI_DC}}}dc")
    made.set(f"{{{XSI}}}schemaLocation", f"{OAI_DC} {OAI_DC[:-1]}.xsd")
    extras, modified = extras_of(package), modified_of(package)
    organisation = package.get("organization") or {}
    values: list[tuple[str, Any]] = [
        ("title", package["title"]),
        ("creator", organisation.get("title")),
        ("publisher", organisation.get("title")),
        ("description", package.get("notes")),
        ("date", modified.date().isoformat() if modified else ""),
        ("type", "Dataset"),
        ("identifier", page_of(package, site_url)),
        ("identifier", extras.get("jl_code") or extras.get("identifier")),
        ("language", "zh"),
        ("rights", package.get("license_title")),
        *(("subject", word) for word in keywords_of(package)),
        *(("format", media) for media in sorted({m for *_, m in resources_of(package) if m})),
    ]
    for name, value in values:
        if value:
            ET.SubElement(made, f"{{{DC}}}{name}").text = str(value)
    return made


def _rdf(package: Mapping[str, Any], site_url: str) -> ET.Element:
    from extensions.exchange.dcat import add_dataset, new_graph  # with rdflib, slow to load

    graph = new_graph(site_url)
    add_dataset(graph, package, site_url)
    return ET.fromstring(graph.serialize(format="pretty-xml", encoding="utf-8"))


def _oai(name: str) -> str:
    return f"{{{OAI}}}{name}"


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
