"""The code lists in the shape that the rules of the metadata profiles ask for."""

from __future__ import annotations

from functools import cache

from portal.codes import code_list
from portal.rules.metadata_profile import KnownCodes


@cache
def known_codes() -> KnownCodes:
    def codes(name: str) -> frozenset[str]:
        return frozenset(code.code for code in code_list(name))

    return KnownCodes(
        themes=codes("themes"),
        regions=codes("regions"),
        formats=codes("formats"),
        share_types=codes("share_types"),
        open_types=codes("open_types"),
        security_levels={c.code: c.is_yes("open_allowed") for c in code_list("security_levels")},
        acquisition_methods={
            c.code: c.is_yes("in_own_open_list") for c in code_list("acquisition_methods")
        },
        update_frequencies=codes("update_frequency"),
        licences=codes("licences"),
        data_types={c.code: c.is_yes("length_required") for c in code_list("data_types")},
        base_libraries=codes("base_libraries"),
    )
