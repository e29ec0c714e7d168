"""A public package as DCAT 3 / DCAT-AP 3. Pure: package in, statements out.

What DCAT has no word for (open type, value, information items) goes under this portal's own
namespace, `<site>/ns#`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote, urlsplit

from rdflib import DCAT, DCTERMS, FOAF, PROV, RDF, RDFS, SKOS, XSD, BNode, Graph, Literal, URIRef
from rdflib.namespace import Namespace

from extensions.exchange.reading import (
    Package,
    extras_of,
    instant,
    keywords_of,
    listed,
    modified_of,
    page_of,
    resources_of,
    series_in,
    series_page,
    themes_of,
)
from portal.codes import code_list

AUTHORITY = "http://publications.europa.eu/resource/authority/"
DCATAP = Namespace("http://data.europa.eu/r5r/")
DCAT3 = Namespace("http://www.w3.org/ns/dcat#")  # words that rdflib's DCAT does not know yet
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
SPDX = Namespace("http://spdx.org/rdf/terms#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_SCHEMES = ("http", "https", "ftp")


def new_graph(site_url: str) -> Graph:
    graph = Graph()
    prefixes: dict[str, Any] = {
        "dcat": DCAT, "dct": DCTERMS, "foaf": FOAF, "skos": SKOS, "spdx": SPDX, "vcard": VCARD,
        "hydra": HYDRA, "prov": PROV, "dcatap": DCATAP, "jl": f"{site_url}/ns#",
    }  # fmt: skip
    for prefix, namespace in prefixes.items():
        graph.bind(prefix, namespace)
    return graph


def add_dataset(graph: Graph, package: Package, site_url: str) -> URIRef:
    """Add what a package says; return the node of the data set."""
    node = URIRef(page_of(package, site_url))
    extras, own = extras_of(package), Namespace(f"{site_url}/ns#")
    graph.add((node, RDF.type, DCAT.Dataset))
    _texts(graph, node, package, extras)
    _people(graph, node, package, extras, site_url)
    _times(graph, node, package, extras)
    _rights(graph, node, package, extras)
    for code in themes_of(package):
        _theme(graph, node, code, site_url)
    _own_words(graph, node, extras, own)
    _series(graph, node, extras, site_url)
    for resource, code, media in resources_of(package):
        distribution = _distribution(graph, node, package, resource, code, media)
        graph.add((node, DCAT.distribution, distribution))
        if str(resource.get("url") or "").startswith(f"{site_url}/data/v1/"):
            _service(graph, node, distribution, URIRef(resource["url"]))
    return node


def _texts(graph: Graph, node: URIRef, package: Package, extras: dict[str, str]) -> None:
    for code in (extras.get("jl_code") or extras.get("identifier"), package["id"]):
        if code:
            graph.add((node, DCTERMS.identifier, Literal(code)))
    graph.add((node, DCTERMS.title, Literal(package["title"], lang="zh-Hans")))
    if extras.get("jl_title_en"):
        graph.add((node, DCTERMS.title, Literal(extras["jl_title_en"], lang="en")))
    notes = package.get("notes") or package["title"]
    graph.add((node, DCTERMS.description, Literal(notes, lang="zh-Hans")))
    for word in keywords_of(package):
        graph.add((node, DCAT.keyword, Literal(word, lang="zh-Hans")))
    graph.add((node, DCAT.landingPage, node))
    graph.add((node, DCTERMS.language, URIRef(f"{AUTHORITY}language/ZHO")))
    if extras.get("jl_version"):
        graph.add((node, DCAT3.version, Literal(extras["jl_version"])))


def _people(
    graph: Graph, node: URIRef, package: Package, extras: dict[str, str], site_url: str
) -> None:
    organisation = package.get("organization") or {}
    if organisation:
        agent = URIRef(f"{site_url}/organisation/{quote(organisation['name'])}")
        graph.add((agent, RDF.type, FOAF.Agent))
        graph.add((agent, FOAF.name, Literal(organisation["title"], lang="zh-Hans")))
        graph.add((node, DCTERMS.publisher, agent))
    name = extras.get("contact_name") or organisation.get("title")
    if name:
        contact = BNode()
        graph.add((contact, RDF.type, VCARD.Kind))
        graph.add((contact, VCARD.fn, Literal(name)))
        mail = extras.get("contact_email", "")
        if "@" in mail and not any(c in mail for c in ' <>"{}|\\^`'):
            graph.add((contact, VCARD.hasEmail, URIRef(f"mailto:{mail}")))
        if extras.get("jl_contact_phone"):
            graph.add((contact, VCARD.hasTelephone, Literal(extras["jl_contact_phone"])))
        graph.add((node, DCAT.contactPoint, contact))


def _times(graph: Graph, node: URIRef, package: Package, extras: dict[str, str]) -> None:
    issued = instant(extras.get("issued")) or instant(package.get("metadata_created"))
    for one, moment in ((DCTERMS.issued, issued), (DCTERMS.modified, modified_of(package))):
        if moment is not None:
            graph.add((node, one, Literal(moment.isoformat(), datatype=XSD.dateTime)))
    if extras.get("frequency", "").startswith("http"):
        graph.add((node, DCTERMS.accrualPeriodicity, URIRef(extras["frequency"])))
    start, end = _day(extras.get("temporal_start")), _day(extras.get("temporal_end"))
    if start or end:
        period = BNode()
        graph.add((period, RDF.type, DCTERMS.PeriodOfTime))
        for one, day in ((DCAT.startDate, start), (DCAT.endDate, end)):
            if day:
                graph.add((period, one, Literal(day.isoformat(), datatype=XSD.date)))
        graph.add((node, DCTERMS.temporal, period))
    region = code_list("regions").find(extras.get("jl_region", ""))
    if region is not None:
        place = URIRef(f"https://www.mca.gov.cn/division/{region.code}")
        graph.add((place, RDF.type, DCTERMS.Location))
        graph.add((place, SKOS.prefLabel, Literal(region.name, lang="zh-Hans")))
        graph.add((place, DCTERMS.identifier, Literal(region.code)))
        graph.add((node, DCTERMS.spatial, place))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None


def _rights(graph: Graph, node: URIRef, package: Package, extras: dict[str, str]) -> None:
    rights = extras.get("access_rights", "")
    if rights.startswith("http"):
        graph.add((node, DCTERMS.accessRights, URIRef(rights)))
        graph.add((URIRef(rights), RDF.type, DCTERMS.RightsStatement))
    licence = _licence(package)
    if licence is not None:
        graph.add((node, DCTERMS.license, licence))
        graph.add((licence, RDF.type, DCTERMS.LicenseDocument))


def _licence(package: Package) -> URIRef | None:
    return _link(str(package.get("license_url") or ""))


def _theme(graph: Graph, node: URIRef, code: str, site_url: str) -> None:
    theme = code_list("themes")[code]
    concept = URIRef(f"{site_url}/themes#{code}")
    graph.add((concept, RDF.type, SKOS.Concept))
    graph.add((concept, SKOS.prefLabel, Literal(theme.name, lang="zh-Hans")))
    graph.add((concept, SKOS.prefLabel, Literal(theme.name_en, lang="en")))
    graph.add((node, DCAT.theme, concept))
    if theme["eu_data_theme"]:
        graph.add((node, DCAT.theme, URIRef(f"{AUTHORITY}data-theme/{theme['eu_data_theme']}")))


def _own_words(graph: Graph, node: URIRef, extras: dict[str, str], own: Namespace) -> None:
    """The portal's own properties; the names are those of the CKAN package."""
    for key, name in (
        ("jl_open_type", "openType"),
        ("jl_share_type", "shareType"),
        ("jl_open_state", "openState"),
        ("jl_update_frequency", "updateFrequency"),
    ):
        if extras.get(key):
            graph.add((node, own[name], Literal(extras[key])))
    if "jl_high_value" in extras:
        graph.add((node, own.highValue, Literal(extras["jl_high_value"] == "true")))
    if extras.get("jl_value_score"):
        score = Literal(extras["jl_value_score"], datatype=XSD.decimal)
        graph.add((node, own.valueScore, score))
    for item in listed(extras.get("jl_items", "")):
        if isinstance(item, dict) and item.get("name"):
            part = BNode()
            graph.add((node, own.item, part))
            graph.add((part, RDFS.label, Literal(item["name"], lang="zh-Hans")))
            for key in ("field_name", "data_type", "unit", "description"):
                if item.get(key):
                    graph.add((part, own[key], Literal(item[key])))


def _series(graph: Graph, node: URIRef, extras: dict[str, str], site_url: str) -> None:
    """Say in which series a data set stands, and what comes before and after it there."""
    found = series_in(extras)
    if found is None:
        return
    add_series(graph, found["id"], found["title"], "", site_url)
    graph.add((node, DCAT3.inSeries, URIRef(series_page(found["id"], site_url))))
    for one, key in ((DCAT3.prev, "previous"), (DCAT3.next, "next")):
        if found.get(key):
            graph.add((node, one, URIRef(page_of({"name": found[key]}, site_url))))


def add_series(graph: Graph, series_id: str, title: str, description: str, site_url: str) -> URIRef:
    """Add a series by itself; return its node."""
    node = URIRef(series_page(series_id, site_url))
    graph.add((node, RDF.type, DCAT3.DatasetSeries))
    graph.add((node, DCTERMS.identifier, Literal(series_id)))
    graph.add((node, DCTERMS.title, Literal(title, lang="zh-Hans")))
    if (node, DCTERMS.description, None) not in graph:  # members name a series by its title alone
        graph.add((node, DCTERMS.description, Literal(description or title, lang="zh-Hans")))
    return node


def add_members(graph: Graph, series: URIRef, pages: Sequence[str]) -> None:
    """Add the data sets of a series, in their order."""
    for page in pages:
        graph.add((series, DCAT3.seriesMember, URIRef(page)))
    if pages:
        graph.add((series, DCAT3.first, URIRef(pages[0])))
        graph.add((series, DCAT3.last, URIRef(pages[-1])))


def _distribution(
    graph: Graph, dataset: URIRef, package: Package, resource: Any, code: str, media: str
) -> URIRef:
    node = URIRef(f"{dataset}#{quote(str(resource['id']))}")
    graph.add((node, RDF.type, DCAT.Distribution))
    for one, key in ((DCTERMS.title, "name"), (DCTERMS.description, "description")):
        if resource.get(key):
            graph.add((node, one, Literal(resource[key], lang="zh-Hans")))
    link = _link(str(resource.get("url") or ""))
    graph.add((node, DCAT.accessURL, link if link is not None else dataset))
    if link is not None and resource.get("url_type") == "upload":
        graph.add((node, DCAT.downloadURL, link))
    if code:
        graph.add((node, DCTERMS["format"], URIRef(f"{AUTHORITY}file-type/{code.upper()}")))
    if "/" in media:
        kind = f"https://www.iana.org/assignments/media-types/{quote(media, safe='/+.-')}"
        graph.add((node, DCAT.mediaType, URIRef(kind)))
    size = str(resource.get("size") or "")
    if size.isdigit():
        graph.add((node, DCAT.byteSize, Literal(size, datatype=XSD.nonNegativeInteger)))
    digest = str(resource.get("hash") or "")
    if len(digest) == 64:
        checksum = BNode()
        graph.add((node, SPDX.checksum, checksum))
        graph.add((checksum, RDF.type, SPDX.Checksum))
        graph.add((checksum, SPDX.algorithm, SPDX.checksumAlgorithm_sha256))
        graph.add((checksum, SPDX.checksumValue, Literal(digest, datatype=XSD.hexBinary)))
    changed = instant(resource.get("last_modified"))
    if changed is not None:
        graph.add((node, DCTERMS.modified, Literal(changed.isoformat(), datatype=XSD.dateTime)))
    licence = _licence(package)
    if licence is not None:
        graph.add((node, DCTERMS.license, licence))
    return node


def _service(graph: Graph, dataset: URIRef, distribution: URIRef, endpoint: URIRef) -> None:
    """An interface of this portal is called, not downloaded: it stands as a DataService."""
    graph.add((endpoint, RDF.type, DCAT.DataService))
    for title in graph.objects(distribution, DCTERMS.title):
        graph.add((endpoint, DCTERMS.title, title))
    graph.add((endpoint, DCAT.endpointURL, endpoint))
    graph.add((endpoint, DCAT.endpointDescription, URIRef(f"{endpoint}/openapi.json")))
    graph.add((endpoint, DCAT.servesDataset, dataset))
    graph.add((distribution, DCAT.accessService, endpoint))


def _link(text: str) -> URIRef | None:
    """Return an address that RDF can hold; what is none stays out."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not parts.netloc:
        return None
    return URIRef(quote(text.strip(), safe="%/:=&?~#+!$,;'@()*[]"))


def add_catalogue(graph: Graph, site_url: str, title: str, datasets: Iterable[URIRef]) -> URIRef:
    """Add the catalogue itself, holding the data sets of this page."""
    catalogue = URIRef(f"{site_url}/")
    graph.add((catalogue, RDF.type, DCAT.Catalog))
    graph.add((catalogue, DCTERMS.title, Literal(title, lang="zh-Hans")))
    graph.add((catalogue, DCTERMS.description, Literal(title, lang="zh-Hans")))
    graph.add((catalogue, FOAF.homepage, URIRef(f"{site_url}/")))
    graph.add((catalogue, DCTERMS.language, URIRef(f"{AUTHORITY}language/ZHO")))
    agent = URIRef(f"{site_url}/about")
    graph.add((agent, RDF.type, FOAF.Agent))
    graph.add((agent, FOAF.name, Literal(title, lang="zh-Hans")))
    graph.add((catalogue, DCTERMS.publisher, agent))
    for node in datasets:
        graph.add((catalogue, DCAT.dataset, node))
    return catalogue


def add_pages(graph: Graph, here: str, *, total: int, links: dict[str, str]) -> None:
    """Add Hydra's view of this page; `links` maps first, previous, next, last to addresses."""
    page = URIRef(here)
    graph.add((page, RDF.type, HYDRA.PartialCollectionView))
    graph.add((page, HYDRA.totalItems, Literal(total)))
    for name, address in links.items():
        graph.add((page, HYDRA[name], URIRef(address)))
