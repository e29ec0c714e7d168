"""`xiangyun search evaluate|export|words`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import orjson

from portal.commands import opened_platform
from portal.commands.search_words import words
from portal.services.indexer import all_documents
from portal.services.search_evaluation import read_set
from portal.services.search_names import install_search_names
from portal.settings import read_settings
from search.evaluation import Outcome, Summary, compare, summarise, worst
from search.evaluation_run import MEANS, evaluate, opened_collection, resolved
from search.judgement_files import PUBLIC, FaultyFile, record_of

ENGINES = ("embedded", "elasticsearch")
SPLITS = ("tuning", "held_out", "all")
_FILE = click.Path(exists=True, path_type=Path)


@click.group("search")
def search() -> None:
    """How good the search is, and the words it knows."""


search.add_command(words)


@search.command("evaluate")
@click.argument("file", type=_FILE)
@click.option(
    "--collection",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON lines of search documents or CKAN packages; else the file beside FILE.",
)
@click.option(
    "--engine",
    "engines",
    type=click.Choice(ENGINES),
    multiple=True,
    help="Repeatable. Else the embedded one, and Elasticsearch too where SEARCH_URL names it.",
)
@click.option("--beta", "betas", type=float, multiple=True, help="Weight of value; repeatable.")
@click.option(
    "--without", type=click.Choice(MEANS), multiple=True, help="Leave a means out; repeatable."
)
@click.option("--split", type=click.Choice(SPLITS), default="all", show_default=True)
@click.option("--worst", "worst_shown", type=click.IntRange(0), default=10, show_default=True)
def evaluate_command(
    file: Path,
    collection: Path | None,
    engines: tuple[str, ...],
    betas: tuple[float, ...],
    without: tuple[str, ...],
    split: str,
    worst_shown: int,
) -> None:
    """Measure the search with the judged queries in FILE (query,code,grade).

    FILE may also be the folder of OpenDataBench (London) or of the search indicator of
    data.gouv.fr. With --beta 0 and others, each other β is compared with 0.
    """
    install_search_names(read_settings())
    try:
        given = read_set(file, collection)
    except FaultyFile as error:
        raise click.ClickException(str(error)) from error
    queries = [query for query in given.queries if split in ("all", query.split)]
    if not queries:
        raise click.ClickException(f"no query of the split {split}")
    for engine, url in _engines(engines):
        with opened_collection(given.documents, url) as opened:
            asked, missing = resolved(queries, opened.names)
            click.echo(
                f"{engine}: {len(asked)} queries ({split}), {len(given.documents)} documents"
            )
            if missing:
                click.echo(f"  {len(missing)} judged codes are not in the collection")
            runs = {
                beta: evaluate(opened, asked, beta=beta, without=without)
                for beta in betas or (0.25,)
            }
        _show(runs, worst_shown)


def _engines(chosen: tuple[str, ...]) -> list[tuple[str, str]]:
    url = read_settings().search_url
    if "elasticsearch" in chosen and not url:
        raise click.ClickException("--engine elasticsearch needs the setting SEARCH_URL")
    wanted = chosen or (ENGINES if url else ENGINES[:1])
    return [(name, url if name == "elasticsearch" else "") for name in wanted]


def _show(runs: dict[float, list[Outcome]], worst_shown: int) -> None:
    for beta, outcomes in runs.items():
        _show_table(beta, outcomes)
        if beta and 0 in runs:
            _show_comparison(beta, outcomes, runs[0])
    if worst_shown:
        _show_worst(next(iter(runs.values())), worst_shown)


def _show_table(beta: float, outcomes: Sequence[Outcome]) -> None:
    click.echo(f"\nβ = {beta:g}")
    click.echo(
        f"  {'kind':<18}{'n':>5}{'nDCG@10':>9}{'Recall@10':>11}{'MRR':>8}{'none':>7}{'V':>7}"
    )
    kinds = dict.fromkeys(one.query.kind for one in outcomes)
    for kind in kinds if len(kinds) > 1 else ():
        _show_row(kind or "-", summarise([one for one in outcomes if one.query.kind == kind]))
    _show_row("all", summarise(outcomes))


def _show_row(name: str, row: Summary) -> None:
    lift = "-" if row.lift is None else f"{row.lift:.1f}"
    click.echo(
        f"  {name:<18}{row.queries:>5}{row.ndcg:>9.3f}{row.recall:>11.3f}"
        f"{row.reciprocal_rank:>8.3f}{row.empty:>7.3f}{lift:>7}"
    )


def _show_comparison(beta: float, outcomes: Sequence[Outcome], plain: Sequence[Outcome]) -> None:
    found = compare(outcomes, plain)
    click.echo(
        f"  against β = 0: nDCG@10 {found.difference:+.4f} "
        f"[{found.low:+.4f}, {found.high:+.4f}], known MRR {found.rank_difference:+.4f}, "
        f"V {found.lift_difference:+.1f}: {'accepted' if found.accepted else 'refused'}"
    )


def _show_worst(outcomes: Sequence[Outcome], count: int) -> None:
    click.echo("\nworst queries")
    for one in worst(outcomes, count):
        first = ", ".join(one.found[:3]) or "nothing"
        click.echo(
            f"  {one.ndcg:.2f} nDCG  {one.recall:.2f} recall  "
            f"{one.query.text} ({one.query.kind}): {first}"
        )


@search.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write what the portal's search holds of public entries to FILE, for `evaluate`."""
    with (
        opened_platform() as platform,
        platform.database.reading() as session,
        file.open("wb") as out,
    ):
        count = 0
        for document in all_documents(session):
            if document.labels & PUBLIC:
                out.write(orjson.dumps(record_of(document)) + b"\n")
                count += 1
    click.echo(f"{count} documents")


COMMANDS = (search,)
