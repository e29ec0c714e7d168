"""The replay server does what it is told."""

from __future__ import annotations

import requests

from tests.harvesters.replay import Answer, Asked, ReplayServer


def test_steps_follow_each_other_and_the_last_stays() -> None:
    with ReplayServer() as server:
        server.on("/a", Answer(500), Answer(body=b"fine"))
        statuses = [requests.get(server.url + "/a", timeout=5).status_code for _ in range(3)]
        assert statuses == [500, 200, 200]
        assert requests.get(server.url + "/other", timeout=5).status_code == 404


def test_a_step_may_be_a_function_and_a_path_a_beginning() -> None:
    with ReplayServer() as server:
        server.on("/a/*", lambda asked: Answer(body=f"{asked.method} {asked.query}".encode()))
        assert requests.post(server.url + "/a/b?x=1", timeout=5).text == "POST {'x': '1'}"
        assert server.asked[0] == Asked(
            "POST", "/a/b", {"x": "1"}, server.asked[0].headers, server.asked[0].body
        )
