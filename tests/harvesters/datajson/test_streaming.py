"""A large `data.json` read piece by piece gives what reading it at once gives."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from harvesters.datajson.document import as_utf8, datasets_of
from harvesters.datajson.streaming import stream_datasets
from harvesters.record import SourceFailed

NESTED: dict[str, Any] = {
    "conformsTo": ["x", {"dataset": [{"not": "one"}]}],
    "dataset": [{"identifier": 1, "distribution": [{"a": [1.5]}]}, "odd", None],
    "datasetSeries": [{"first": {"identifier": 9}, "seriesMember": [{"identifier": 2}]}],
    "catalog": [
        {"title": "inner", "dataset": [{"identifier": 3}]},
        {"catalog": [{"dataset": [{"identifier": 4}]}]},
    ],
    "publisher": {"dataset": [{"identifier": "not"}]},
}


def streamed(document: Any) -> list[tuple[str, Any]]:
    return list(stream_datasets(io.BytesIO(json.dumps(document).encode())))


@pytest.mark.parametrize("document", [NESTED, [{"identifier": 1}, {"identifier": 2}]])
def test_the_same_data_sets_at_the_same_places(document: Any) -> None:
    assert sorted(streamed(document), key=str) == sorted(datasets_of(document), key=str)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "缺少 dataset"),
        ('{"dataset": []}', "没有给出任何记录"),
        ('{"dataset": [{"a": 1}', "截断"),
        ("[" * 10_000, "嵌套过深"),
        ('{"x":' * 10_000, "嵌套过深"),
        ('{"dataset": [' + "[" * 10_000, "嵌套过深"),
        ('{"dataset": [[' + "1," * 200_000 + "1]]}", "过大"),
    ],
)
def test_what_is_no_catalogue_or_a_bomb_fails(text: str, words: str) -> None:
    with pytest.raises(SourceFailed, match=words):
        list(stream_datasets(io.BytesIO(text.encode())))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_encodings(encoding: str) -> None:
    text = json.dumps({"dataset": [{"title": "公交站点"}]}, ensure_ascii=False)
    with as_utf8(io.BytesIO(text.encode(encoding))) as file:
        assert list(stream_datasets(file)) == [("dataset[0]", {"title": "公交站点"})]
