"""The only wiring of the web application. Read this first.

`create_app` takes a platform (settings, database, search engine, storage, extensions), registers
the core's pages and APIs and those of the enabled extensions, and refuses to start when a route
does not say who may call it or a transition row has no guard.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import structlog
from flask import Blueprint, Flask, request
from flask_babel import Babel
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemBytecodeCache, FileSystemLoader
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import logs
from portal.api import API_BLUEPRINTS
from portal.extension import Extension
from portal.platform import Platform
from portal.settings import Settings
from portal.theme import theme_folders
from portal.web import PAGE_BLUEPRINTS, access, context, errors, presentation, security

LANGUAGES = ("zh", "en")
log = structlog.get_logger(__name__)


def create_app(platform: Platform) -> Flask:
    """Return the application.

    Raises:
        LookupError: a route does not say who may call it.
    """
    settings = platform.settings
    logs.configure()
    app = Flask(__name__, static_folder=None, template_folder=None)
    _configure(app, settings)
    _use_theme(app, settings.theme, platform.extensions)
    _keep_compiled_pages(app, settings.cache_folder / "pages")
    security.install(app)
    context.install(app, platform)  # after: its commit comes before the headers and the log line
    errors.install(app)
    presentation.install(app)
    Babel(app, locale_selector=language, default_locale="zh")
    csrf = CSRFProtect(app)
    apis = (*API_BLUEPRINTS, *(api for e in platform.extensions for api in e.apis))
    pages = (*PAGE_BLUEPRINTS, *(page for e in platform.extensions for page in e.routes))
    for blueprint in apis:
        csrf.exempt(blueprint)
    for blueprint in (*pages, *apis):
        app.register_blueprint(blueprint)
    app.config["API_BLUEPRINTS"] = frozenset(_names(apis))
    access.check_declared(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="xiangyun",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        MAX_CONTENT_LENGTH=settings.max_upload_bytes + 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        BABEL_TRANSLATION_DIRECTORIES=str(Path(__file__).parent / "translations"),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]


def _use_theme(app: Flask, theme: str, extensions: tuple[Extension, ...]) -> None:
    """Look templates and static files up in the theme first, then in `jilin`, then in extensions."""
    folders = theme_folders(theme)
    extension_folders = [
        Path(__file__).parents[1] / "extensions" / e.name / "templates" for e in extensions
    ]
    own = FileSystemLoader([f / "templates" for f in folders] + extension_folders)
    # Blueprints of extensions from outside bring a template folder of their own; ours come first.
    app.jinja_env.loader = ChoiceLoader([own, app.create_global_jinja_loader()])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    presentation.serve_static(app, [folder / "static" for folder in folders])


def _keep_compiled_pages(app: Flask, folder: Path) -> None:
    """Compile each template once an installation, not once a process."""
    folder.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder))


def _names(blueprints: tuple[Blueprint, ...]) -> list[str]:
    return [blueprint.name for blueprint in blueprints]


def language() -> str:
    """Return the reader's language: the one chosen, else the browser's, else Chinese."""
    chosen = request.cookies.get("lang", "")
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or "zh"
