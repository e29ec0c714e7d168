"""`xiangyun search words`: the portal's own synonyms, everyday words, names and stop words."""

from __future__ import annotations

from pathlib import Path

import click

from portal.services.search_names import check_words
from portal.settings import read_settings
from search.dictionaries import FILES, Fault, read_folder


@click.group("words")
def words() -> None:
    """Synonyms, everyday words, names and stop words of this portal."""


@words.command("check")
@click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
def check(folder: Path | None) -> None:
    """Check the files of words in FOLDER (else: dictionaries in the data folder).

    Names each line that would be passed over, and ends with an error if there is one.
    """
    folder = folder or read_settings().dictionaries_folder
    faults = check_words(folder)
    for fault in faults:
        click.echo(f"{folder / fault.file} 第{fault.line}行：{fault.problem}", err=True)
    if faults:
        raise click.ClickException(f"有{len(faults)}行不能使用；其余各行照常生效。")
    found = [name for name in FILES if (folder / name).is_file()]
    if not found:
        click.echo(f"{folder} 中没有词表（{'、'.join(FILES)}），只使用软件自带的词表。")
        return
    rows = sum(1 for row in read_folder(folder) if not isinstance(row, Fault))
    click.echo(
        f"{'、'.join(found)}：共{rows}行，全部可用。词表只用于查询，修改后几秒内生效，不需要重建索引。"
    )
