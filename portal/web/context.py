"""What a request works with: the platform, who asks, and one transaction.

`session()` opens a reading session for GET and HEAD, a writing one otherwise, at first use; so a
long upload holds no lock. The request commits once, after the view, and rolls back on any error.
"""

from __future__ import annotations

from typing import cast

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.actor import Actor
from portal.clock import Clock
from portal.platform import Platform

EXTENSION_KEY = "xiangyun"
_SAFE = ("GET", "HEAD", "OPTIONS")


def platform() -> Platform:
    return cast(Platform, current_app.extensions[EXTENSION_KEY])


def clock() -> Clock:
    return platform().clock


def actor() -> Actor:
    return cast(Actor, g.actor)


def session(*, writing: bool | None = None) -> Session:
    """Return the request's session. `writing` overrides what the method says, at first use only."""
    if "db_session" not in g:
        writes = request.method not in _SAFE if writing is None else writing
        database = platform().database
        g.db_session = database.writing_session() if writes else database.reading_session()
        g.db_writes = writes
    return cast(Session, g.db_session)


def commit() -> None:
    """Commit what the request wrote so far; for views that answer only after the commit."""
    if "db_session" in g and g.db_writes:
        g.db_session.commit()


def install(app: Flask, parts: Platform) -> None:
    app.extensions[EXTENSION_KEY] = parts

    @app.after_request
    def _finish(response: Response) -> Response:
        if "db_session" in g and g.db_writes:
            if response.status_code >= 400:
                g.db_session.rollback()
                return response
            try:
                g.db_session.commit()
            except DBAPIError as error:
                # Nothing was kept: the answer that says it was must not go out.
                g.db_session.close()
                return app.make_response(app.handle_user_exception(error))
        return response

    @app.teardown_request
    def _close(_error: BaseException | None) -> None:
        opened = g.pop("db_session", None)
        if opened is not None:
            opened.close()
