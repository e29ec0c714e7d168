"""The portal's own processes and the nginx before them, as nodes of a scaled-out set."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests

from tests.services.node import SCRIPTS, Node
from tests.services.nodes import DIRECT

MAIN = """\
worker_processes 2;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    types {{ text/html html; text/css css; application/javascript js; image/svg+xml svg; }}
    default_type application/octet-stream;
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/portal.conf;
}}
"""


def _serves(url: str) -> bool:
    try:
        return DIRECT.get(url, timeout=10, allow_redirects=False).status_code < 500
    except requests.RequestException:
        return False


class NginxNode(Node):
    """nginx with docker/local/nginx.conf.template before the given ports of 127.0.0.1."""

    script = "nginx"

    def __init__(
        self,
        folder: Path,
        upstream_ports: Sequence[int],
        files: Path,
        *,
        balancers: str = "127.0.0.1",
        port: int = 0,
        owner_pid: int | None = None,
    ) -> None:
        super().__init__(folder, port=port, owner_pid=owner_pid)
        servers = "".join(f"server 127.0.0.1:{number};" for number in upstream_ports)
        self._values = {
            "NGINX_UPSTREAMS": servers,
            "NGINX_LISTEN": f"127.0.0.1:{self.port}",
            "NGINX_MAX_BODY": "600m",
            "NGINX_BALANCERS": balancers,
            "NGINX_FILES": str(files),
        }

    def start(self) -> None:
        home = (self.folder / "service").resolve()
        home.mkdir(parents=True, exist_ok=True)
        site = (SCRIPTS / "nginx.conf.template").read_text("utf-8")
        for name, value in self._values.items():
            site = site.replace("${" + name + "}", value)
        (home / "portal.conf").write_text(site, "utf-8")
        # Started by root, the workers would be another user, who cannot read the files.
        user = "user root;\n" if os.geteuid() == 0 else ""
        (home / "nginx.conf").write_text(user + MAIN.format(folder=home), "utf-8")
        super().start()

    def answers(self) -> bool:
        return _serves(self.url)


class WebNode(Node):
    """`xiangyun serve` with the given settings."""

    script = "web"

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        port: int = 0,
        owner_pid: int | None = None,
    ) -> None:
        super().__init__(folder, port=port, owner_pid=owner_pid)
        self._settings = settings

    def environment(self) -> Mapping[str, str]:
        return self._settings

    def answers(self) -> bool:
        return _serves(self.url)


class WorkerNode(WebNode):
    """`xiangyun worker` with the given settings; it has no port, so running counts as ready."""

    script = "worker"

    def answers(self) -> bool:
        return (self.folder / "service.pid").exists()
