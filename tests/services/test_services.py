"""Each real service does what the tests rely on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
import requests
from elasticsearch import Elasticsearch

from tests.services.node import ROOT, free_port
from tests.services.run import RUN
from tests.services.s3 import S3Server


def test_elasticsearch_finds_a_document(elasticsearch_url, elasticsearch_prefix):
    with Elasticsearch(elasticsearch_url) as client:
        index = f"{elasticsearch_prefix}entries"
        client.index(index=index, document={"title": "公交线路"}, refresh=True)
        assert client.search(index=index, query={"match": {"title": "公交"}})["hits"]["hits"]


def test_an_elasticsearch_node_keeps_its_data_over_a_stop_and_a_kill(elasticsearch_node):
    with elasticsearch_node() as node, Elasticsearch(node.url) as client:
        client.index(index="a", id="1", document={"title": "医院"}, refresh=True)
        for end in (node.stop, node.kill):
            end()
            with pytest.raises(requests.ConnectionError):
                requests.get(node.url, timeout=2)
            node.start()
            assert client.get(index="a", id="1")["_source"] == {"title": "医院"}


def test_s3_stores_an_object_and_refuses_strangers(s3_server):
    client = s3_server.client()
    client.put_object(Bucket=s3_server.bucket, Key="ab/cd", Body=b"bytes")
    assert client.get_object(Bucket=s3_server.bucket, Key="ab/cd")["Body"].read() == b"bytes"
    stranger = requests.get(f"{s3_server.endpoint_url}/{s3_server.bucket}/ab/cd", timeout=5)
    assert stranger.status_code == 403


def test_s3_holds_many_buckets(s3_bucket):
    servers = [s3_bucket() for _ in range(12)]
    for number, server in enumerate(servers):
        server.client().put_object(Bucket=server.bucket, Key=str(number), Body=b"x")
    for number, server in enumerate(servers):
        found = server.client().list_objects_v2(Bucket=server.bucket)
        assert [one["Key"] for one in found["Contents"]] == [str(number)]


def test_an_s3_node_keeps_its_data_over_a_restart(s3_node):
    with s3_node() as node:
        server = S3Server.at(node.url, "files")
        server.create_bucket()
        server.client().put_object(Bucket="files", Key="a", Body=b"kept")
        node.stop()
        node.start()
        assert server.client().get_object(Bucket="files", Key="a")["Body"].read() == b"kept"


def test_each_postgresql_database_is_fresh_or_a_copy(postgresql_database, postgresql_url):
    def run(url: str, command: str) -> psycopg.Cursor:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            return connection.execute(command)

    run(postgresql_url, "CREATE TABLE sample (name text)")
    copy = postgresql_database(template=postgresql_url)
    run(copy, "INSERT INTO sample VALUES ('吉林')")
    with pytest.raises(psycopg.errors.UndefinedTable):
        run(postgresql_database(), "SELECT * FROM sample")


def test_each_redis_database_is_empty(redis_database):
    first, second = redis_database(), redis_database()
    with redis.Redis.from_url(first) as client:
        client.set("key", "value")
    with redis.Redis.from_url(second) as client:
        assert client.get("key") is None


def test_chromium_shows_chinese(browser):
    page = browser.new_page()
    page.set_content("<h1>吉林省公共数据</h1>")
    assert page.get_by_role("heading").inner_text() == "吉林省公共数据"
    page.close()


def test_a_server_does_not_outlive_a_killed_owner(tmp_path):
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    pid_file = tmp_path / "pid"
    keep = [sys.executable, "-m", "tests.services.keeper"]
    how = [str(owner.pid), "SIGTERM", "5", str(pid_file)]
    keeper = subprocess.Popen([*keep, *how, "sleep", "60"], cwd=ROOT)
    _wait_for(pid_file)
    service = psutil.Process(int(pid_file.read_text()))
    owner.kill()
    owner.wait()
    keeper.wait(timeout=10)
    assert not service.is_running()


def _wait_for(pid_file: Path) -> None:
    end = time.monotonic() + 10
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(("all_asked", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_missing_software_skips_or_fails_where_all_is_asked(tmp_path, all_asked, outcome):
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("bash", "dirname", "mkdir"):
        (bare / tool).symlink_to(f"/bin/{tool}")
    (tmp_path / "test_x.py").write_text("def test_x(redis_url): assert redis_url\n")
    plugins = ["-p", "tests.services.plugin", "-p", "tests.services.fixtures"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *plugins,
            "-c",
            "/dev/null",
            "--rootdir",
            tmp_path,
            tmp_path,
        ],
        cwd=ROOT,
        env={"PATH": str(bare), "XIANGYUN_TEST_ALL": all_asked},
        capture_output=True,
        text=True,
    )
    assert outcome in done.stdout
    assert "missing: redis-server" in done.stdout or not all_asked


def test_weed_gets_ports_whose_grpc_ports_are_valid():
    assert free_port(4, also_above=10_000) + 3 + 10_000 < 65_536


def test_the_run_has_one_owner(pytestconfig):
    assert psutil.pid_exists(pytestconfig.stash[RUN].owner_pid)
