"""What a file holds beside its table goes out with the original, so it is looked at too."""

from __future__ import annotations

from pathlib import Path

import pytest

from extensions.quality.scan.leftovers import look_at_rest
from portal.storage.local import LocalStorage
from portal.tables.reader import read_table
from portal.tables.store import build_table


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ('{"联系人":{"手机":13844445555},"data":[{"a":"1"},{"a":"2"}]}', ["mobile"]),
        ('{"msg":"ok","data":[{"a":"13844445555"},{"a":"2"}]}', []),
        ("<table><tr><td>a<td>b</tr><tr><td>1<td>2</tr></table><p>13844445555</p>", ["mobile"]),
    ],
)
def test_what_stands_beside_the_records_is_looked_at(
    tmp_path: Path, text: str, kinds: list[str]
) -> None:
    path = tmp_path / "数据.json"
    path.write_text(text, encoding="utf-8")
    with read_table(path, filename=path.name) as table:
        info = build_table(table, LocalStorage(tmp_path / "store"))
    assert [one.kind for one in look_at_rest(info, path)] == kinds
