"""What one version of a catalogue entry says: core metadata and information items.

The fields are those of the national guide 发改高技〔2017〕1272号 (core metadata) and the ones
the Measures add. Instances are plain values; `portal.rules.metadata_profile` says which of
them a profile accepts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class LegalBasis:
    """依据. `kind`: law 法律, regulation 法规, rule 规章, other, consent (data subjects agreed)."""

    kind: str
    title: str = ""
    document_number: str = ""
    article: str = ""
    quote: str = ""
    url: str = ""


@dataclass(frozen=True)
class InformationItem:
    """信息项: one field of the resource. `order` counts from 1; `length` in characters."""

    order: int
    name: str
    field_name: str
    data_type: str = "string"
    length: int | None = None
    precision: int | None = None
    nullable: bool = True
    primary_key: bool = False
    code_list: str = ""
    unit: str = ""
    description: str = ""
    share_type: str = ""
    open: bool = True
    masking: str = ""
    personal: str = "none"
    sample: str = ""


@dataclass(frozen=True)
class EntryContent:
    """The metadata of one version. Codes are those of `portal/data/codes`, kept as text."""

    title: str
    title_en: str = ""
    abstract: str = ""
    resource_class: str = "3"
    base_library: str = ""
    theme: str = ""
    more_themes: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    provider_uscc: str = ""
    region: str = ""
    format: tuple[str, ...] = ()
    items: tuple[InformationItem, ...] = ()
    share_type: str = ""
    share_condition: str = ""
    share_mode: tuple[str, ...] = ()
    share_basis: tuple[LegalBasis, ...] = ()
    open_type: str = ""
    open_condition: str = ""
    open_condition_ground: tuple[str, ...] = ()
    closed_ground: tuple[str, ...] = ()
    closed_basis: tuple[LegalBasis, ...] = ()
    security_level: str = ""
    acquisition_method: str = ""
    collection_basis: tuple[LegalBasis, ...] = ()
    source_system: str = ""
    update_frequency: str = ""
    temporal_start: date | None = None
    temporal_end: date | None = None
    related_codes: tuple[str, ...] = ()
    related_service_items: tuple[str, ...] = ()
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    pooling_state: str = "not_pooled"
    verified_at: date | None = None
    licence: str = ""
    duplicate_reason: str = ""
    foreign: dict[str, Any] = field(default_factory=dict)
    """What a foreign record said that has no field here, kept as it came (profile foreign-1)."""
