"""Every setting of the portal: name, type, default, help. Read from the environment once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from portal.net.smtp import MailServer
from portal.net.text_gateway import check_address
from portal.rules.mail_address import clean_address
from portal.theme import read_theme
from search.elasticsearch_layout import IndexLayout

PREFIX = "XIANGYUN_"
SHORTEST_SECRET = 32


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it."""


class Settings(BaseModel):
    """Settings as the process runs with them. `help` of each field is printed by `xiangyun settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Annotated[Path, Field(description="Data folder: database, files, index, secrets")] = Path(
        "var"
    )
    database_url: Annotated[
        str, Field(description="SQLAlchemy URL; empty: SQLite in the data folder")
    ] = ""
    search_url: Annotated[
        str,
        Field(
            description="Elasticsearch address, several nodes separated by commas; "
            "empty: embedded index"
        ),
    ] = ""
    search_shards: Annotated[
        int, Field(ge=1, le=64, description="Shards of the next index that is built")
    ] = 1
    search_replicas: Annotated[
        str, Field(description="Copies of each shard, a number or a range as 0-1")
    ] = "0-1"
    search_refresh: Annotated[
        str,
        Field(
            description="Interval at which Elasticsearch makes writes searchable, as 1s; "
            "empty: after each batch"
        ),
    ] = ""
    storage_url: Annotated[
        str, Field(description="file:///… or s3://bucket; empty: data folder")
    ] = ""
    s3_endpoint_url: Annotated[str, Field(description="Address of an S3 server other than AWS")] = (
        ""
    )
    redis_url: Annotated[
        str, Field(description="Shared quotas; empty: counted in the database")
    ] = ""
    fetch_allowed_hosts: Annotated[
        tuple[str, ...], Field(description="host:port list that may be fetched though private")
    ] = ()
    site_url: Annotated[str, Field(description="Public address, used in links and answers")] = (
        "http://127.0.0.1:5000"
    )
    site_title: Annotated[str, Field(description="Name of the portal")] = "吉林省公共数据开放平台"
    site_title_en: Annotated[str, Field(description="Name of the portal on English pages")] = (
        "Jilin Province Open Public Data"
    )
    site_host: Annotated[str, Field(description="主办单位, shown at the foot of every page")] = ""
    site_operator: Annotated[str, Field(description="承办单位, shown at the foot")] = ""
    site_contact: Annotated[str, Field(description="Contact, shown at the foot")] = ""
    site_icp: Annotated[str, Field(description="ICP filing number, shown at the foot")] = ""
    site_police: Annotated[str, Field(description="公安备案 number, shown at the foot")] = ""
    site_code: Annotated[str, Field(description="网站标识码, shown at the foot")] = ""
    site_errata_url: Annotated[
        str, Field(description="Address of 我为政府网站找错, shown at the foot")
    ] = ""
    site_links: Annotated[
        tuple[str, ...], Field(description="Related sites at the foot: NAME=ADDRESS, …")
    ] = ()
    secret_key: Annotated[str, Field(description="Signs sessions; at least 32 characters")] = ""
    extensions: Annotated[tuple[str, ...], Field(description="Enabled extensions, in order")] = (
        "access",
        "exchange",
        "quality",
        "participation",
    )
    theme: Annotated[
        str, Field(description="Name of a folder in themes/, or the path of one elsewhere")
    ] = "jilin"
    trusted_proxies: Annotated[
        int, Field(description="Number of proxies whose X-Forwarded-For counts")
    ] = 0
    accel_prefix: Annotated[
        str, Field(description="X-Accel-Redirect location of nginx; empty: serve bytes")
    ] = ""
    max_upload_bytes: Annotated[int, Field(description="Largest file that may be uploaded")] = (
        512 * 1024 * 1024
    )
    max_resumable_bytes: Annotated[
        int, Field(description="Largest file that may be uploaded in parts")
    ] = 5 * 1024**3
    upload_hours: Annotated[
        int, Field(description="Hours without a new part after which an upload is forgotten", ge=1)
    ] = 48
    table_cache_bytes: Annotated[
        int, Field(description="Disk used for queryable copies of tables")
    ] = 4 * 1024**3
    anonymous_rate: Annotated[
        int, Field(description="Anonymous requests a minute from one address")
    ] = 1200
    secure_cookies: Annotated[bool, Field(description="Send cookies over HTTPS only")] = False
    smtp_url: Annotated[
        str,
        Field(
            description="Mail server: smtp://host:25 (a relay of your own), smtp+starttls://user:password@host:587 "
            "or smtps://user:password@host:465; empty: mails wait, nobody can register"
        ),
    ] = ""
    mail_from: Annotated[
        str, Field(description="Sender of mails, an address; empty: noreply@ the host of SITE_URL")
    ] = ""
    sms_gateway: Annotated[
        str, Field(description="Entry point of the group xiangyun.sms that sends text messages")
    ] = ""
    sms_url: Annotated[
        str,
        Field(
            description="Gateway for text messages: https://… is posted JSON with mobile and text, "
            "file:///path is written to, a line of JSON for each; nobody registers by telephone without"
        ),
    ] = ""
    sms_token: Annotated[str, Field(description="Bearer token for the gateway of SMS_URL")] = ""
    staff_second_factor: Annotated[
        bool, Field(description="Staff need a second factor (TOTP or passkey) to work")
    ] = False
    oidc_issuer: Annotated[
        str, Field(description="Issuer of the province's unified identity (OpenID Connect)")
    ] = ""
    oidc_client_id: Annotated[str, Field(description="Our name at the issuer")] = ""
    oidc_client_secret: Annotated[str, Field(description="Our secret at the issuer")] = ""
    oidc_levels: Annotated[
        tuple[str, ...],
        Field(
            description="Verification levels of the issuer that count as real-name: LEVEL=natural_person "
            "or LEVEL=legal_person, …"
        ),
    ] = ("real_name=natural_person", "enterprise=legal_person")
    oidc_to_apply: Annotated[
        bool, Field(description="Applications need an account verified by OIDC_ISSUER")
    ] = False
    worker_poll_seconds: Annotated[
        float, Field(description="How often an idle worker looks for jobs")
    ] = 0.5

    @model_validator(mode="before")
    @classmethod
    def _names_of_theme(cls, values: Any) -> Any:
        """A theme may name the portal (theme.json); what is set by hand comes first."""
        named = read_theme(values["theme"]) if values.get("theme") else {}
        return {**named, **values}

    @field_validator(
        "fetch_allowed_hosts", "extensions", "site_links", "oidc_levels", mode="before"
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(p.strip() for p in value.split(",") if p.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("smtp_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value:
            MailServer.of(value)
        return value

    @field_validator("sms_url")
    @classmethod
    def _text_gateway(cls, value: str) -> str:
        if value:
            check_address(value)
        return value

    @field_validator("oidc_levels")
    @classmethod
    def _levels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if one.partition("=")[2] not in ("natural_person", "legal_person"):
                raise ValueError("expected LEVEL=natural_person or LEVEL=legal_person")
        return value

    @field_validator("mail_from")
    @classmethod
    def _mail_sender(cls, value: str) -> str:
        if value and clean_address(value) is None:
            raise ValueError("expected a plain mail address")
        return value

    @field_validator("search_replicas", "search_refresh")
    @classmethod
    def _layout(cls, value: str, field: ValidationInfo) -> str:
        layout: dict[str, Any] = {str(field.field_name).removeprefix("search_"): value}
        IndexLayout(**layout)
        return value

    @property
    def sends_texts(self) -> bool:
        return bool(self.sms_gateway or self.sms_url)

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite:///{(self.home / 'xiangyun.db').resolve()}"

    @property
    def effective_storage_url(self) -> str:
        return self.storage_url or (self.home / "files").resolve().as_uri()

    @property
    def site_name(self) -> str:
        """Return the host of SITE_URL without its port."""
        return urlsplit(self.site_url).hostname or "localhost"

    @property
    def effective_mail_from(self) -> str:
        return self.mail_from or f"noreply@{self.site_name}"

    @property
    def search_folder(self) -> Path:
        return self.home / "index"

    @property
    def dictionaries_folder(self) -> Path:
        return self.home / "dictionaries"

    @property
    def cache_folder(self) -> Path:
        return self.home / "cache"


def read_settings(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Return the settings of the environment.

    A secret key that is not given is made once and kept in the data folder (one machine);
    a given one that is too short is refused, so that no installation signs with a guessable key.

    Raises:
        SettingsError: a value cannot be read, or the secret key is too short.
    """
    names = Settings.model_fields
    given = {n: environ[PREFIX + n.upper()] for n in names if environ.get(PREFIX + n.upper())}
    if environ.get(PREFIX + "EXTENSIONS") == "":
        given["extensions"] = ""  # empty means none here, not the default
    try:
        settings = Settings.model_validate({**given, **overrides})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "theme"  # the only check of the whole
        raise SettingsError(f"{PREFIX}{name.upper()}: {first['msg']}") from error
    if not settings.secret_key:
        settings = settings.model_copy(update={"secret_key": _kept_secret(settings.home)})
    if len(settings.secret_key) < SHORTEST_SECRET:
        raise SettingsError(f"{PREFIX}SECRET_KEY: at least {SHORTEST_SECRET} characters are needed")
    return settings


def _kept_secret(home: Path) -> str:
    import secrets

    path = home / "secret_key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()
