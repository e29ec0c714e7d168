"""`xiangyun load`, `xiangyun openapi`."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from portal.api.action import table_of
from portal.api.core import CORE_ACTIONS
from portal.api.openapi import openapi_document
from portal.commands import opened_platform
from portal.commands.indexing_beside import indexing_beside
from portal.platform import Platform
from portal.services.indexer import count_pending, index_pending
from portal.services.loading import LoadFailed, LoadReport, PackageLoader
from search.engine import SearchUnavailable

GZIP_MAGIC = b"\x1f\x8b"
ERRORS_SHOWN = 50
WORTH_A_PROCESS_BYTES = 4 * 1024 * 1024


@click.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all-or-nothing", is_flag=True, help="Write nothing when any line is faulty.")
@click.option("--reason", default="命令行批量导入", show_default=True, help="For the audit trail.")
def load(file: Path, all_or_nothing: bool, reason: str) -> None:
    """Load CKAN packages from FILE, one a line (JSON lines, also gzipped), and publish them."""
    with opened_platform() as platform:
        loader = PackageLoader(platform.database, platform.clock, source=file.name, reason=reason)
        many = file.stat().st_size > WORTH_A_PROCESS_BYTES and not all_or_nothing
        with indexing_beside(wanted=many):
            report = _load(loader, file, whole=all_or_nothing)
        _index(platform)
    _say(report)
    if report.errors:
        sys.exit(1)


def _load(loader: PackageLoader, file: Path, *, whole: bool) -> LoadReport:
    with file.open("rb") as raw:
        size = file.stat().st_size
        with click.progressbar(length=size, label="载入 loading", file=sys.stderr) as bar:
            lines = _lines(raw)
            if whole:
                try:
                    report = loader.load_whole(lines)
                except LoadFailed as error:
                    _say(error.report)
                    raise click.ClickException(error.text()) from error
                bar.update(size)
                return report
            report, seen = LoadReport(), 0
            for latest in loader.load(lines):
                report = latest
                bar.update(raw.tell() - seen)
                seen = raw.tell()
            return report


def _lines(raw: BinaryIO) -> Iterator[bytes]:
    zipped = raw.read(2) == GZIP_MAGIC
    raw.seek(0)
    yield from gzip.GzipFile(fileobj=raw) if zipped else iter(raw.readline, b"")


def _index(platform: Platform) -> None:
    """Bring the search index up; what another indexer does meanwhile is not done twice."""
    with platform.database.reading() as session:
        waiting = count_pending(session)
    with click.progressbar(length=waiting, label="索引 indexing", file=sys.stderr) as bar:
        try:
            while done := index_pending(platform.database, platform.engine, platform.clock):
                bar.update(done)
        except SearchUnavailable as error:
            click.echo(f"\n检索引擎暂不可用，稍后由后台任务补上：{error}", err=True)


def _say(report: LoadReport) -> None:
    for error in sorted(report.errors, key=lambda e: e.number)[:ERRORS_SHOWN]:
        click.echo(f"第 {error.number} 行：{error.text}", err=True)
    if len(report.errors) > ERRORS_SHOWN:
        click.echo(f"……另有 {len(report.errors) - ERRORS_SHOWN} 行有误", err=True)
    click.echo(
        f"新增 created {report.created}，更新 updated {report.updated}，"
        f"未变 unchanged {report.unchanged}，失败 failed {len(report.errors)}"
    )


@click.command("openapi")
def openapi() -> None:
    """Print the OpenAPI 3.1 description of the Action API, with the extensions' actions."""
    with opened_platform() as platform:
        more = (action for extension in platform.extensions for action in extension.actions)
        document = openapi_document(table_of((*CORE_ACTIONS, *more)), platform.settings)
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


COMMANDS = (load, openapi)
