"""`xiangyun harvest add|edit|pause|resume|remove|run|list|report`."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from harvesters.record import SourceFailed
from portal.actor import SYSTEM
from portal.clock import SHANGHAI
from portal.commands import opened_platform
from portal.errors import Conflict
from portal.jobs.harvests import reader, run_in_foreground
from portal.jobs.queue import LEASE_SECONDS
from portal.models.harvest import (
    HarvestRun,
    HarvestSource,
    find_last_run,
    find_live_run,
    get_run,
    get_source,
)
from portal.models.organisation import get_organisation
from portal.platform import Platform
from portal.services.harvest_gathering import SourceReading
from portal.services.harvest_lease import RunLease, find_job, take_lease
from portal.services.harvest_notices import STATE_NAMES, counts_in_words
from portal.services.harvest_report import (
    CHANGES,
    RUN_STATE_NAMES,
    ReportLine,
    list_sources,
    preview,
    report_lines,
)
from portal.services.harvest_sources import SourceService
from portal.services.harvesting import HarvestService
from portal.services.source_columns import FIELD_NAMES
from portal.services.source_secrets import SourceSecrets

_POLL_SECONDS = 0.5


@click.group("harvest")
def harvest() -> None:
    """Sources in other catalogues, and their runs."""


@harvest.command("add")
@click.argument("name")
@click.option(
    "--kind",
    required=True,
    help="How to read it: ckan, datajson, dcat, open_list, or a kind of an installed package.",
)
@click.option("--url", required=True, help="Its address (http or https).")
@click.option(
    "--org", "organisation_code", required=True, help="Code of the providing organisation."
)
@click.option("--trusted", is_flag=True, help="It is the provider's own published list.")
@click.option("--schedule", default="", help="Cron expression (Asia/Shanghai); empty: by hand.")
@click.option(
    "--files",
    "keep_files",
    type=click.Choice(["link", "mirror"]),
    default="link",
    help="Try the links of its files, or fetch and keep the files.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the kind; the value is JSON, or else text. May be repeated.",
)
def add(
    name: str,
    kind: str,
    url: str,
    organisation_code: str,
    trusted: bool,
    schedule: str,
    keep_files: str,
    options: tuple[str, ...],
) -> None:
    """Name the source NAME."""
    values = dict(map(_option, options))
    with opened_platform() as platform, platform.database.writing() as session:
        _sources(platform, session).add(
            SYSTEM,
            get_organisation(session, organisation_code),
            name=name,
            kind=kind,
            url=url,
            trusted=trusted,
            schedule=schedule,
            keep_files=keep_files,
            options=values,
        )
    click.echo(f"已添加采集源“{name}”。")


def _sources(platform: Platform, session: Session) -> SourceService:
    return SourceService(session, platform.clock, SourceSecrets(platform.settings.secret_key))


@harvest.command("edit")
@click.argument("name")
@click.option("--rename", "new_name", help="A new name.")
@click.option("--kind", help="How to read it.")
@click.option("--url", help="Its address (http or https).")
@click.option("--org", "organisation_code", help="Code of the providing organisation.")
@click.option("--trusted/--untrusted", "trusted", default=None, help="Its records go out at once.")
@click.option("--schedule", help='Cron expression (Asia/Shanghai); "": by hand.')
@click.option("--files", "keep_files", type=click.Choice(["link", "mirror"]), help="Try or fetch.")
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="As with add; may be repeated."
)
@click.option("--forget-option", "forget", multiple=True, metavar="KEY", help="Drop an option.")
def edit(
    name: str,
    new_name: str | None,
    organisation_code: str | None,
    options: tuple[str, ...],
    forget: tuple[str, ...],
    **values: Any,
) -> None:
    """Change the source NAME: what is given, and nothing else."""
    given = {key: value for key, value in {**values, "name": new_name}.items() if value is not None}
    if not (given or organisation_code or options or forget):
        raise click.UsageError("nothing to change; see --help")
    with opened_platform() as platform, platform.database.writing() as session:
        organisation = get_organisation(session, organisation_code) if organisation_code else None
        _sources(platform, session).edit(
            SYSTEM,
            get_source(session, name),
            organisation=organisation,
            options=dict(map(_option, options)),
            forget=frozenset(forget),
            **given,
        )
    click.echo(f"已修改采集源“{new_name or name}”。")


@harvest.command("pause")
@click.argument("name")
def pause(name: str) -> None:
    """Stop the schedule of NAME; a run that is under way ends as it would."""
    with opened_platform() as platform, platform.database.writing() as session:
        _sources(platform, session).pause(SYSTEM, get_source(session, name), paused=True)
    click.echo(f"已暂停采集源“{name}”。")


@harvest.command("resume")
@click.argument("name")
def resume(name: str) -> None:
    """Let the schedule of NAME go on."""
    with opened_platform() as platform, platform.database.writing() as session:
        _sources(platform, session).pause(SYSTEM, get_source(session, name), paused=False)
    click.echo(f"已恢复采集源“{name}”。")


@harvest.command("remove")
@click.argument("name")
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
def remove(name: str, reason: str) -> None:
    """Take the source NAME off the list; the entries that came from it stay."""
    with opened_platform() as platform, platform.database.writing() as session:
        _sources(platform, session).remove(SYSTEM, get_source(session, name), reason=reason)
    click.echo(f"已移除采集源“{name}”，已采集的目录保留。")


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.BadParameter(f"“{text}”应写成 key=value", param_hint="--option")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


@harvest.command("run")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@click.option("--confirm-removals", is_flag=True, help="Retire what the waiting run found gone.")
def run(name: str, dry_run: bool, confirm_removals: bool) -> None:
    """Run the source NAME here and now; a run that was broken off goes on."""
    if dry_run and confirm_removals:
        raise click.UsageError("--dry-run and --confirm-removals exclude each other")
    with opened_platform() as platform:
        if dry_run:
            _dry_run(platform, name)
            return
        run_id, lease = _begin(platform, name, confirm_removals=confirm_removals)
        run_in_foreground(platform, run_id, lease, _show_progress)
        with platform.database.reading() as session:
            ended = get_run(session, run_id)
    _say_end(ended)


def _begin(platform: Platform, name: str, *, confirm_removals: bool) -> tuple[int, RunLease]:
    """Take a run for this process: a new one, the confirmed one, or one that was broken off."""
    _await_dead_holder(platform, name)
    with platform.database.writing() as session:
        service = HarvestService(session, platform.clock)
        source = get_source(session, name)
        found = find_live_run(session, source.id)
        if confirm_removals and found is None:
            found = find_last_run(session, source.id)
            if found is None or found.state != "waiting":
                raise Conflict(
                    "没有等待确认的撤下；先运行 xiangyun harvest run {name}。", name=name
                )
            service.confirm_removals(SYSTEM, found)
        elif found is not None:
            click.echo("继续上次中断的采集。", err=True)
        taken = found or service.start(SYSTEM, source)
        lease = take_lease(session, platform.clock, taken)
        if lease is None:
            raise _under_way(name)
        return taken.id, lease


def _await_dead_holder(platform: Platform, name: str) -> None:
    """Wait until the lease of a process that died runs out; a living one renews it: refuse."""
    first_seen: datetime | None = None
    deadline = time.monotonic() + LEASE_SECONDS + 5
    while time.monotonic() < deadline:
        leased_until = _leased_until(platform, name)
        if leased_until is None:
            return
        if first_seen is None:
            first_seen = leased_until
            click.echo("该来源的采集正由另一进程进行；等待，看它是否已中断 …", err=True)
        if leased_until != first_seen:
            break
        time.sleep(_POLL_SECONDS)
    raise _under_way(name)


def _leased_until(platform: Platform, name: str) -> datetime | None:
    """Return until when another process holds the source's run, None if nobody does."""
    with platform.database.reading() as session:
        found = find_live_run(session, get_source(session, name).id)
        job = find_job(session, found.id) if found else None
    if job is None or job.state != "running" or job.leased_until is None:
        return None
    return job.leased_until if job.leased_until >= platform.clock() else None


def _under_way(name: str) -> Conflict:
    return Conflict("来源“{name}”的采集正在另一进程中进行，请稍后再试。", name=name)


def _show_progress(phase: str, done: int, total: int) -> None:
    if phase == "gathering":
        click.echo(f"\r  已读取 {done} 条", nl=False, err=True)
    else:
        click.echo(f"\r  已写入 {done}/{total} 条 ", nl=done == total, err=True)


def _say_end(ended: HarvestRun) -> None:
    click.echo("", err=True)
    if ended.state == "failed":
        click.echo(f"采集失败：{ended.error}", err=True)
        sys.exit(1)
    click.echo(counts_in_words(ended.counts))
    name = ended.source.name
    if ended.state == "waiting":
        click.echo(
            "来源中缺失的记录超过20%，尚未撤下任何数据。"
            f"用 xiangyun harvest report {name} 查看，"
            f"确认后运行 xiangyun harvest run {name} --confirm-removals。",
            err=True,
        )
    if ended.counts.get("faulty") or ended.counts.get("conflict"):
        click.echo(f"用 xiangyun harvest report {name} 查看有误和冲突的记录。", err=True)


def _dry_run(platform: Platform, name: str) -> None:
    counts: Counter[str] = Counter()
    with platform.database.reading() as session:
        source = get_source(session, name)
        options = SourceSecrets(platform.settings.secret_key).options_of(source)
        try:
            for line in preview(session, SourceReading(source, options, reader(platform).read)):
                counts[line.state] += 1
                if line.state in CHANGES:
                    click.echo(_line(line))
                    for change in line.changes:
                        label = FIELD_NAMES.get(change.field, change.field)
                        click.echo(
                            f"\t{label}：{change.before or '（空）'} → {change.after or '（空）'}"
                        )
        except SourceFailed as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"试运行，没有写入：{counts_in_words(counts)}")


@harvest.command("list")
def list_command() -> None:
    """List the sources with their last run."""
    with opened_platform() as platform, platform.database.reading() as session:
        for summary in list_sources(session):
            click.echo("\t".join(_summary(summary.source, summary.last_run)))


def _summary(source: HarvestSource, last: HarvestRun | None) -> Iterable[str]:
    trust = "可信" if source.trusted else "待审"
    yield from (source.name, source.kind, trust, source.organisation.code, source.url)
    yield "已暂停" if source.paused else source.schedule or "手动"
    if last is None:
        yield "尚未采集"
        return
    yield f"{_moment(last.started_at)} {RUN_STATE_NAMES[last.state]}"
    yield last.error or counts_in_words(last.counts)


def _moment(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


@harvest.command("report")
@click.argument("name")
@click.option("--changes", "only_changes", is_flag=True, help="Leave out what did not change.")
def report(name: str, only_changes: bool) -> None:
    """Print the last run of NAME: its counts, and what happened to each record and why."""
    with opened_platform() as platform, platform.database.reading() as session:
        last = find_last_run(session, get_source(session, name).id)
        if last is None:
            raise click.ClickException(f"来源“{name}”尚未采集。")
        ended = _moment(last.finished_at) if last.finished_at else "—"
        state = RUN_STATE_NAMES[last.state]
        click.echo(f"{name}：{state}，开始 {_moment(last.started_at)}，结束 {ended}")
        click.echo(counts_in_words(last.counts))
        if last.error:
            click.echo(f"原因：{last.error}")
        for line in report_lines(session, last.id, states=CHANGES if only_changes else frozenset()):
            click.echo(_line(line))


def _line(line: ReportLine) -> str:
    parts = (STATE_NAMES.get(line.state, line.state), line.place, line.remote_id, line.title)
    return "\t".join((*parts, line.slug, line.reason)).rstrip("\t")


COMMANDS = (harvest,)
