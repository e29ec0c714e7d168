"""`xiangyun dump`: the whole public catalogue as files."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import orjson

from portal.commands import opened_platform

JOB = "catalogue_dump"
"""Of the extension `exchange`, which runs every night too."""


@click.command("dump")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the files there too, with manifest.json and SHA256SUMS.",
)
def dump(folder: Path | None) -> None:
    """Write the public catalogue as JSON lines (CKAN), N-Triples (DCAT), CSV and XLSX, and publish it.

    The files are offered at /dumps until seven newer ones are there.
    """
    with opened_platform() as platform, tempfile.TemporaryDirectory() as temporary:
        if JOB not in platform.jobs.names():
            raise click.ClickException("the extension exchange is not enabled (EXTENSIONS)")
        target = folder or Path(temporary)
        with click.progressbar(length=0, label="导出 dumping", file=sys.stderr) as bar:

            def progress(done: int, total: int) -> None:
                bar.length = total
                bar.update(done - bar.pos)

            payload = {"folder": str(target), "progress": progress}
            platform.jobs[JOB].handler(platform, payload)
        manifest = orjson.loads((target / "manifest.json").read_bytes())
    click.echo(f"记录 records {manifest['records']}")
    for one in manifest["files"]:
        click.echo(f"{one['sha256']}  {one['size_bytes']:>12}  {one['name']}")


COMMANDS = (dump,)
