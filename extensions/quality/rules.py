"""The quality checks: each a small pure function; the score is a plain sum. No session, no clock.

Source: Measures, arts. 16, 22 and 47; the faults that public rankings of open-data portals count.
The weights are the portal's own (P); docs/quality.md says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from portal.rules.entry_content import EntryContent, InformationItem
from portal.tables.column_types import ColumnType
from portal.tables.info import Column, TableInfo

METHOD_VERSION = 1
FULL = 100.0
FEW_ROWS = 4
MISSING_FREE, MISSING_WORST = 0.1, 0.6
COLUMN_MOSTLY_MISSING = 0.8
FRAGMENTS = 3
PASTED_LENGTH, PASTED_ROWS, PASTED_COLUMNS = 600, 50, 2
DUPLICATE_FREE, DUPLICATE_WORST = 0.0, 0.2
OVERDUE_WORST = 40
NAMED_AT_MOST = 6


@dataclass(frozen=True)
class FileFacts:
    """One file of an entry. `table` is the parsed one, all columns; None for what is no table."""

    name: str
    format: str
    size_bytes: int
    sha256: str
    table_state: str
    table_error: str = ""
    table: TableInfo | None = None
    duplicate_rows: int = 0


@dataclass(frozen=True)
class EntryState:
    """Everything the checks ask about an entry.

    overdue_working_days: since the update was due with its grace, 0 when it is not late;
    twins: titles of other entries with the same data; fragments: titles of entries of the same
    provider that differ in year or place only.
    """

    content: EntryContent
    files: Sequence[FileFacts] = ()
    has_data: bool = True  # a file, a link or an interface
    is_open: bool = True  # on the open list now: data that is not open needs no licence and no file
    overdue_working_days: int = 0
    twins: Sequence[str] = ()
    fragments: Sequence[str] = ()

    @property
    def tables(self) -> list[tuple[str, TableInfo]]:
        return [(file.name, file.table) for file in self.files if file.table is not None]


@dataclass(frozen=True)
class Found:
    """A fault: `points` are taken off the score; `text` says it in Chinese with its figures."""

    check: str
    points: float
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One check: its words, how to mend what it finds, the most it takes off.

    opens_issue: the nightly run opens a quality issue for it where the data is open.
    """

    code: str
    name: str
    explanation: str
    mend: str
    most: float
    find: Callable[[EntryState], tuple[float, str, dict[str, Any]] | None]
    opens_issue: bool = False

    def __call__(self, state: EntryState) -> Found | None:
        found = self.find(state)
        if found is None:
            return None
        weight, text, evidence = found
        return Found(self.code, round(self.most * min(1.0, max(0.0, weight)), 1), text, evidence)


Answer = tuple[float, str, dict[str, Any]] | None
"""Weight 0 to 1 of the check's points, the sentence, the evidence; None when all is well."""


def _share(value: float, free: float, worst: float) -> float:
    return (value - free) / (worst - free)


def _some(names: Sequence[str]) -> str:
    shown = "、".join(f"“{name}”" for name in names[:NAMED_AT_MOST])
    return shown + (f"等{len(names)}个" if len(names) > NAMED_AT_MOST else "")


def missing_rate(state: EntryState) -> Answer:
    cells = sum(t.row_count * len(t.columns) for _, t in state.tables)
    if not cells:
        return None
    rate = sum(c.blank_count for _, t in state.tables for c in t.columns) / cells
    empty = [
        c.name
        for _, t in state.tables
        for c in t.columns
        if t.row_count and c.blank_count / t.row_count > COLUMN_MOSTLY_MISSING
    ]
    if rate <= MISSING_FREE and not empty:
        return None
    text = f"空白单元格占{rate:.0%}"
    if empty:
        text += f"；{_some(empty)}列八成以上为空"
    weight = max(_share(rate, MISSING_FREE, MISSING_WORST), 0.3 if empty else 0.1)
    return weight, text + "。", {"rate": round(rate, 4), "columns": empty}


def fragmented(state: EntryState) -> Answer:
    count = len(state.fragments) + 1
    if count < FRAGMENTS:
        return None
    text = f"与{_some(list(state.fragments))}只差年份或地区，共{count}个数据集。"
    return count / 10 + 0.3, text, {"count": count, "titles": list(state.fragments)}


def few_rows(state: EntryState) -> Answer:
    small = [name for name, t in state.tables if 0 < t.row_count < FEW_ROWS]
    if not small or len(small) < len(state.tables):
        return None
    rows = max(t.row_count for _, t in state.tables)
    return 1.0, f"表格只有{rows}行，少于{FEW_ROWS}行。", {"rows": rows, "files": small}


def pasted_document(state: EntryState) -> Answer:
    pasted = [name for name, t in state.tables if _is_pasted(t)]
    if not pasted:
        return None
    return 1.0, f"{_some(pasted)}像是把文档贴进了单元格。", {"files": pasted}


def _is_pasted(table: TableInfo) -> bool:
    """Long passages in a short table, or hardly any column at all."""
    texts = [c for c in table.columns if c.type is ColumnType.TEXT]
    longest = max((c.max_length or 0 for c in texts), default=0)
    if not 0 < table.row_count <= PASTED_ROWS:
        return False
    narrow = len(table.columns) <= PASTED_COLUMNS and longest >= PASTED_LENGTH / 3
    return narrow or (longest >= PASTED_LENGTH and len(texts) >= len(table.columns) * 0.8)


def duplicate_rows(state: EntryState) -> Answer:
    repeated = {f.name: f.duplicate_rows for f in state.files if f.duplicate_rows}
    if not repeated:
        return None
    rows = sum(f.table.row_count for f in state.files if f.table and f.duplicate_rows)
    share = sum(repeated.values()) / max(1, rows)
    text = f"{sum(repeated.values())}行与其他行完全相同（{share:.1%}）。"
    return max(0.1, _share(share, DUPLICATE_FREE, DUPLICATE_WORST)), text, {"files": repeated}


def duplicate_data(state: EntryState) -> Answer:
    if not state.twins:
        return None
    return 1.0, f"数据与{_some(list(state.twins))}完全相同。", {"titles": list(state.twins)}


def broken_file(state: EntryState) -> Answer:
    broken = [f for f in state.files if _is_broken(f)]
    if not broken:
        return None
    weight = 0.5 + 0.5 * (len(broken) / len(state.files))
    names = [f.name for f in broken]
    errors = {f.name: f.table_error for f in broken}
    return weight, f"{_some(names)}读不出表格，或没有数据行。", {"files": errors}


def _is_broken(file: FileFacts) -> bool:
    is_empty = file.table is not None and file.table.row_count == 0
    return file.size_bytes == 0 or file.table_state == "failed" or is_empty


def overdue(state: EntryState) -> Answer:
    days = state.overdue_working_days
    if days <= 0:
        return None
    text = f"按更新周期应已更新，已逾期{days}个工作日。"
    return 0.3 + 0.7 * days / OVERDUE_WORST, text, {"working_days": days}


_WANTED: tuple[tuple[str, str], ...] = (
    ("abstract", "摘要"),
    ("keywords", "关键字"),
    ("theme", "主题"),
    ("update_frequency", "更新周期"),
    ("licence", "开放许可"),
    ("contact_name", "联系单位"),
    ("temporal_start", "数据起始时间"),
    ("region", "覆盖地区"),
    ("items", "信息项"),
)


def missing_metadata(state: EntryState) -> Answer:
    content = state.content
    wanted = [(n, label) for n, label in _WANTED if n != "licence" or content.open_type != "none"]
    missing = [label for name, label in wanted if not getattr(content, name)]
    if not (content.contact_phone or content.contact_email):
        missing.append("联系电话或邮箱")
    if state.is_open and not state.has_data:
        missing.append("数据文件、链接或接口")
    if not missing:
        return None
    return len(missing) / 5, f"没有填写：{'、'.join(missing)}。", {"fields": missing}


def _items(content: EntryContent) -> dict[str, InformationItem]:
    return {key: item for item in content.items for key in (item.field_name, item.name) if key}


def _item_of(column: Column, items: Mapping[str, InformationItem]) -> InformationItem | None:
    return items.get(column.field_name) or items.get(column.name)


def unexplained_columns(state: EntryState) -> Answer:
    items = _items(state.content)
    columns = [c for _, t in state.tables for c in t.columns]
    unknown = list(dict.fromkeys(c.name for c in columns if _item_of(c, items) is None))
    if not unknown:
        return None
    share = len(unknown) / len({c.name for c in columns})
    return max(0.2, share), f"列{_some(unknown)}没有对应的信息项说明。", {"columns": unknown}


_FITS: Mapping[str, frozenset[ColumnType]] = {
    "integer": frozenset({ColumnType.INTEGER}),
    "number": frozenset({ColumnType.INTEGER, ColumnType.NUMBER}),
    "date": frozenset({ColumnType.DATE}),
    "datetime": frozenset({ColumnType.DATE, ColumnType.DATETIME}),
}


def wrong_types(state: EntryState) -> Answer:
    items = _items(state.content)
    wrong = [
        c.name
        for _, t in state.tables
        for c in t.columns
        if (item := _item_of(c, items)) is not None
        and c.blank_count < t.row_count
        and c.type not in _FITS.get(item.data_type, frozenset(ColumnType))
    ]
    if not wrong:
        return None
    text = f"列{_some(wrong)}的内容与信息项的数据类型不符。"
    return max(0.3, len(wrong) / 5), text, {"columns": wrong}


ALL_CHECKS = (
    Check(
        "broken_file", "文件损坏或为空", "文件打不开、读不出表格，或没有任何数据行。",
        "用原系统重新导出，打开确认后替换为新版本。", 15, broken_file, opens_issue=True,
    ),
    Check(
        "overdue", "逾期未更新", "按更新周期和宽限期（工作日）应已更新而没有更新。",
        "上传最新数据；确不再更新的，修订目录改为“不更新”。", 15, overdue,
    ),
    Check(
        "missing_rate", "缺失率高", "空白单元格太多，使用者无法统计和匹配。",
        "补齐数据；确无数据的列请删去，或在信息项说明中写明含义。", 12, missing_rate,
    ),
    Check(
        "duplicate_data", "重复数据集", "与另一数据集的文件或内容完全相同（一数一源，第16条）。",
        "保留一个，其余申请撤下，或改为引用。", 10, duplicate_data, opens_issue=True,
    ),
    Check(
        "fragmented", "碎片化", "同一张表按年份或地区拆成了多个数据集。",
        "合并为一个数据集，加“年份”“地区”列，历史数据作为版本保留。", 8, fragmented,
    ),
    Check(
        "few_rows", "行数过少", "表格少于4行，通常是汇总结果而不是数据。",
        "提供明细或更长的时间序列；与同类数据合并。", 8, few_rows, opens_issue=True,
    ),
    Check(
        "pasted_document", "文档冒充表格", "把文章、通知整段贴进单元格，不能机读。",
        "把内容拆成字段；文章请作为文档发布，不列为数据。", 8, pasted_document, opens_issue=True,
    ),
    Check(
        "duplicate_rows", "重复行", "有完全相同的行，统计时会重复计算。",
        "去除重复行；确为多次记录的，增加区分它们的列（如编号、时间）。", 6, duplicate_rows,
    ),
    Check(
        "missing_metadata", "元数据缺项", "缺少使用者判断数据所需的说明。",
        "修订目录，补齐所列各项。", 8, missing_metadata,
    ),
    Check(
        "unexplained_columns", "列没有说明", "文件中的列在目录的信息项中没有对应。",
        "修订目录，为每列登记信息项（名称、字段名、含义、单位）。", 5, unexplained_columns,
    ),
    Check(
        "wrong_types", "类型与说明不符", "列的实际内容与信息项登记的数据类型不一致。",
        "更正数据中的错误值，或修订信息项的数据类型。", 5, wrong_types,
    ),
)  # fmt: skip
CHECKS: Mapping[str, Check] = {check.code: check for check in ALL_CHECKS}
MANUAL = "manual"


def check_name(code: str) -> str:
    return CHECKS[code].name if code in CHECKS else "人工发现的问题"


def find_faults(state: EntryState) -> tuple[Found, ...]:
    """Return every fault of the entry, the heaviest first."""
    found = [one for check in ALL_CHECKS if (one := check(state)) is not None]
    return tuple(sorted(found, key=lambda one: -one.points))


def score_of(faults: Sequence[Found]) -> float:
    """Return 100 minus the points of all faults; the checks together take off 100 at most."""
    return round(FULL - sum(fault.points for fault in faults), 1)


def as_dicts(faults: Sequence[Found]) -> list[dict[str, Any]]:
    return [{**asdict(fault), "evidence": dict(fault.evidence)} for fault in faults]
