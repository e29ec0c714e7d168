"""Fetching a spreadsheet from an address."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import requests

from harvesters.patience import Patience, patient_get
from harvesters.record import SourceFailed, SourceSettings


def fetch_list(
    settings: SourceSettings, http: requests.Session, patience: Patience
) -> tuple[bytes, str]:
    """Return (bytes, file name as the address gives it).

    Raises:
        SourceFailed: no answer, another status than 200, or an empty one.
    """
    response = patient_get(http, settings.url, patience, headers=settings.options.get("headers"))
    if response.status_code != 200:
        raise SourceFailed(f"取得清单失败（HTTP {response.status_code}）。请检查地址。")
    if not response.content:
        raise SourceFailed("来源的应答是空的。")
    name = unquote(urlsplit(response.url).path.rpartition("/")[2])
    return response.content, name or "清单"
