"""Bombs of every kind end the reading of a source, with a reason, below 256 MB."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.security.reader_memory import BOMBS


@pytest.mark.slow
def test_a_reader_stays_below_256_megabytes_whatever_it_reads() -> None:
    program = [sys.executable, "-m", "tests.security.reader_memory"]
    answer = subprocess.run(program, capture_output=True, check=True, timeout=600)
    found = json.loads(answer.stdout)
    assert found["kilobytes"] < 256 * 1024
    assert set(found["ends"]) == set(BOMBS)
    for name, end in found["ends"].items():
        assert end != "complete", name
        assert end, name
    assert "过大" in found["ends"]["small values in one record"]
    assert "内存过多" in found["ends"]["Turtle"]
    assert "内存过多" in found["ends"]["a text shared by cells"]
