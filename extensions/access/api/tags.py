"""Weak tags of answers: the same data, grant, metadata and question give the same answer."""

from __future__ import annotations

import hashlib

from extensions.access.services.gate import Admission


def tag_of(admission: Admission, *question: object) -> str:
    """Return a tag of 32 hexadecimal digits."""
    parts = (
        admission.data_hash,
        admission.entry.published_version_id,
        admission.allowance.application_id,
        admission.grant_version,
        sorted((name, item.masking) for name, item in admission.items.items()),
        question,
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:32]
