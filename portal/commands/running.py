"""`xiangyun serve`, `worker`, `run`, `demo`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

import click

from portal import logs, migrations, supervisor
from portal.commands import opened_platform
from portal.commands.database import prepare_database
from portal.demo.loader import ACCOUNTS_FILE, SampleAccount, is_loaded, load_sample
from portal.jobs.worker import Worker
from portal.platform import Platform
from portal.settings import PREFIX, Settings, read_settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True, envvar="PORT")
@click.option("--workers", default=supervisor.WEB_WORKERS, show_default=True)
def serve(host: str, port: int, workers: int) -> None:
    """Serve the portal (granian); the database must be current."""
    with opened_platform() as platform:
        if not migrations.is_current(platform.database, platform.extensions):
            raise click.ClickException("the database is not current: run `xiangyun db upgrade`")
    supervisor.serve(host, port, workers)


@click.command("worker")
def worker() -> None:
    """Run jobs, keep the search index up, start what recurs. Ends on SIGTERM or SIGINT."""
    logs.configure()
    with opened_platform() as platform:
        working = Worker(platform)

        def end(_signal: int, _frame: FrameType | None) -> None:
            working.stop()

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        working.run()


@click.command("run")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True, envvar="PORT")
@click.option(
    "--demo/--empty",
    default=True,
    envvar="DEMO",
    help="Load the sample catalogue at the first start.",
)
def run(host: str, port: int, demo: bool) -> None:
    """Prepare the database, load the sample once, serve and work in one process group."""
    os.environ.setdefault(f"{PREFIX}SITE_URL", f"http://{host}:{port}")
    with opened_platform() as platform:
        prepared = prepare(platform, demo=demo)
    _say_where(read_settings())
    if not prepared and threading.active_count() == 1:
        supervisor.run(host, port)
        return
    # A fresh process: what loading the sample took is given back.
    arguments = ["-m", "portal.supervisor", "--host", host, "--port", str(port)]
    os.execv(sys.executable, [sys.executable, *arguments])


def prepare(platform: Platform, *, demo: bool) -> bool:
    """Bring the database up; at the first start load the sample and index it.

    Returns whether there was anything to do.
    """
    is_current = migrations.is_current(platform.database, platform.extensions)
    if not is_current:
        prepare_database(platform)
    if demo and not is_loaded(platform):
        _load_demo(platform)
        return True
    return not is_current


def _say_where(settings: Settings) -> None:
    click.echo(f"祥云 / Xiangyun: {settings.site_url}")
    click.echo(f"  检索 search:     {settings.site_url}/dataset")
    click.echo(f"  工作台 work:     {settings.site_url}/work")
    click.echo(f"  接口 Action API: {settings.site_url}/api/3/action/status_show")
    path = settings.home / ACCOUNTS_FILE
    if path.exists():
        click.echo(f"  示例账号 sample accounts: {path}")


@click.command("demo")
@click.option("--empty", is_flag=True, help="Prepare the database and leave the sample out.")
def demo(empty: bool) -> None:
    """Load the sample catalogue (once); print the sample accounts and their passwords."""
    with opened_platform() as platform:
        prepare_database(platform)
        if empty:
            click.echo("empty catalogue")
        elif is_loaded(platform):
            click.echo("the sample catalogue is loaded already")
        else:
            _load_demo(platform)


def _load_demo(platform: Platform) -> None:
    click.echo("载入示例目录 loading the sample catalogue …", err=True)
    accounts = load_sample(platform, progress=_show_progress)
    Worker(platform).run_until_idle()
    _say_accounts(accounts)


def _show_progress(done: int, total: int) -> None:
    click.echo(f"\r  {done}/{total}", nl=done == total, err=True)


def _say_accounts(accounts: list[SampleAccount]) -> None:
    click.echo("示例账号（口令只显示这一次） sample accounts, passwords shown once:")
    for account in accounts:
        click.echo(f"  {account.username:<18}{account.password:<14}{account.display_name}")


COMMANDS = (serve, worker, run, demo)
