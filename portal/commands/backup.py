"""`xiangyun backup FILE`, `xiangyun restore FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from portal.backup.archive import walk
from portal.backup.checking import check_restored
from portal.backup.errors import BackupError
from portal.backup.making import make_backup
from portal.backup.restoring import restore_backup
from portal.commands import opened_platform
from portal.commands.database import prepare_database
from portal.extension import load_extensions
from portal.services.index_rebuild import rebuild
from portal.settings import SHORTEST_SECRET, read_settings

SECRETS_IN = "It holds the secret key and every account's data: keep it as carefully as the portal."
SECRETS_OUT = (
    "The secret key is not in it. Keep XIANGYUN_SECRET_KEY apart: without it sessions end, and "
    "stored secrets (second factors, credentials of sources) must be set up anew."
)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-secrets", is_flag=True, help="Leave the secret key out.")
def backup(file: Path, without_secrets: bool) -> None:
    """Write the whole portal into FILE (tar): database, stored files, word lists, newest seal.

    The portal goes on running. The file is read again and checked before the command ends.
    """
    try:
        with (
            opened_platform() as platform,
            click.progressbar(length=1, label="备份 backing up", file=sys.stderr) as bar,
        ):
            manifest = make_backup(
                platform, file, secrets=not without_secrets, told=lambda _bytes: bar.update(0)
            )
            walk(file)
            bar.update(1)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    click.echo(
        f"{file}: {file.stat().st_size} bytes, {manifest.object_count} files, "
        f"{manifest.database} at {', '.join(manifest.revisions)}; checked"
    )
    click.echo(SECRETS_IN if manifest.secret_key == "included" else SECRETS_OUT)


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """Bring FILE into an empty data folder, database and storage, check it, rebuild the index.

    The settings say where: XIANGYUN_HOME, XIANGYUN_DATABASE_URL, XIANGYUN_STORAGE_URL.
    """
    # No key is made here: the data folder must be empty, and the back-up may bring its own.
    settings = read_settings(secret_key="-" * SHORTEST_SECRET)
    try:
        manifest = restore_backup(settings, file, load_extensions(settings.extensions))
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    with opened_platform() as platform:
        prepare_database(platform)
        findings = check_restored(platform)
        held = rebuild(platform.database, platform.engine, platform.clock, fresh=True)
    click.echo(
        f"restored what was backed up at {manifest.made_at}: {findings.entries} entries, "
        f"{findings.files} files; {held} entries indexed"
    )
    if manifest.secret_key != "included":
        click.echo(SECRETS_OUT)
    for problem in findings.problems:
        click.echo(problem, err=True)
    if findings.problems:
        sys.exit(1)


COMMANDS = (backup, restore)
