"""Fetching a spreadsheet from an address."""

from __future__ import annotations

import requests

from harvesters.patience import Patience
from harvesters.record import SourceSettings
from harvesters.whole_answer import fetch_whole


def fetch_list(
    settings: SourceSettings, http: requests.Session, patience: Patience
) -> tuple[bytes, str]:
    """Return (bytes, file name as the address gives it).

    Raises:
        SourceFailed: no answer, another status than 200, or an empty one.
    """
    answer = fetch_whole(settings, http, patience)
    return answer.content, answer.filename or "清单"
