"""The one HTTP client for addresses that people enter: sources, links, files to fetch.

Whoever names an address must not reach machines behind our walls, nor fill our memory. So the
address is checked where the connection is made (a name that answers differently the second time
gains nothing), again for every redirect, and every answer is bounded in bytes and in time, also
when it is read whole (`response.content`, `.json()`). Why so: docs/decisions/0005-guarded-http.md.
"""

from portal.net.addresses import is_refused
from portal.net.errors import FetchFailed, FetchInterrupted, RefusedAddress
from portal.net.session import guarded_session

__all__ = ["FetchFailed", "FetchInterrupted", "RefusedAddress", "guarded_session", "is_refused"]
