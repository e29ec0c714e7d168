"""What happened to single rows while a file was read: left out, padded, or worth a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_LISTED = 200
MAX_TEXT = 200

REASONS = {
    "title": "表头之前的标题或说明行，未作为数据",
    "blank": "空行，未作为数据",
    "repeated_header": "与表头相同的行，未作为数据",
    "footnote": "表后的注释或来源说明，未作为数据",
    "group": "只有首格有内容的分组标题行，未作为数据",
    "long": "单元格比列名多，未作为数据；请检查多余的分隔符或引号",
    "short": "单元格比列名少，缺少的按空白处理",
    "stray_quote": "引号没有配对，该行按原样读取；请核对单元格是否错位",
    "no_header": "第一行就是数据，列名由系统编号；可在信息项里写明列名",
    "merged": "合并的单元格，已把内容填入它所跨的每一行",
    "bad_record": "不是一条完整的记录，未作为数据",
    "misfit": "不合所选类型的值，按空白处理；请核对原文或改回文本",
    "total": "合计行，已作为数据保留；统计时请注意重复计算",
    "second_header": "空行之后又出现像表头的一行，可能是另一张表；已作为数据保留，请核对或拆分文件",
    "misnamed": "文件的扩展名与内容不符，已按内容读取；请改用正确的扩展名",
    "scientific": "科学计数法写的数，后面的数位可能已丢失；按原样保留，请把该列以文本格式重新导出",
    "mojibake": "含有乱码（如“锟斤拷”“�”），源数据已损坏，按原样保留；请核对原文",
    "nul": "含有空字节（NUL），已去掉；请核对该行",
    "serial_date": "日期列里是 Excel 的日期序号，已换算为日期；请核对",
    "formula_blank": "公式没有保存计算结果，按空白处理；请用 Excel 打开并保存后重新上传",
    "error_cell": "单元格里是公式错误（如 #N/A、#DIV/0!），按空白处理；请在 Excel 中更正",
    "precision_lost": "含超过 15 位的数字，Excel 已将后面的数位改为 0；请把该列设为文本后重新填写",
}
KEPT = frozenset(
    {"short", "total", "precision_lost", "stray_quote", "no_header", "merged", "misfit"}
    | {"second_header", "misnamed", "scientific", "mojibake", "nul", "serial_date"}
    | {"formula_blank", "error_cell"}
)


@dataclass(frozen=True)
class RowNote:
    row: int  # 1-based, as a spreadsheet program counts
    kind: str  # a key of REASONS
    text: str  # what stood there, shortened

    @property
    def kept(self) -> bool:
        return self.kind in KEPT

    @property
    def reason(self) -> str:
        return REASONS[self.kind]


@dataclass
class RowNotes:
    """The first MAX_LISTED notes of each file, and how many there were of each kind."""

    listed: list[RowNote] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, row: int, kind: str, cells: Sequence[str | None]) -> None:
        self.counts[kind] += 1
        if kind != "blank" and len(self.listed) < MAX_LISTED:
            text = " | ".join(cell.strip() for cell in cells if cell and cell.strip())
            self.listed.append(RowNote(row, kind, _storable(text[:MAX_TEXT])))

    def copy(self) -> RowNotes:
        return RowNotes(list(self.listed), self.counts.copy())

    def restore(self, kept: RowNotes) -> None:
        """Forget what was noted after the copy was made."""
        self.listed[:] = kept.listed
        self.counts.clear()
        self.counts.update(kept.counts)

    def add_uncounted(self, kind: str, count: int) -> None:
        """Count rows of a kind that were listed elsewhere or are too many to list."""
        self.counts[kind] += count


def _storable(text: str) -> str:
    """Return the text as a database takes it."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
