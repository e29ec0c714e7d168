"""SQL that a caller wrote: what of it is taken, and what it becomes.

The text is parsed as PostgreSQL, every node of the tree must stand on the lists below, and DuckDB gets
SQL that is written anew from the tree, with every name quoted: no text of the caller's reaches it but
as a name or a value. What is not on a list is refused, so a function that is invented tomorrow is too.

Source: CVE-2026-42031 and -42032 (CKAN), where a list of forbidden functions was not enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from portal.errors import Invalid
from portal.tables.limits import LONGEST_SQL

MOST_NODES = 1_000
DEEPEST = 60
MOST_TABLES = 8
LOCAL = "local "
"""Before each name that a statement makes itself."""

_SHAPE: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.Subquery, exp.Union, exp.Intersect, exp.Except, exp.With, exp.CTE, exp.From,
    exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset,
    exp.Distinct, exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star,
    exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple, exp.Var, exp.Interval,
    exp.Window, exp.WindowSpec, exp.Filter, exp.WithinGroup, exp.DataType, exp.DataTypeParam,
)  # fmt: skip
_OPERATORS: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In,
    exp.Between, exp.Like, exp.ILike, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod,
    exp.Neg, exp.DPipe, exp.Exists, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
_FUNCTIONS: tuple[type[exp.Expr], ...] = (
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.Stddev, exp.StddevPop,
    exp.StddevSamp, exp.Variance, exp.VariancePop, exp.PercentileCont, exp.PercentileDisc,
    exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Sqrt, exp.Pow, exp.Ln, exp.Exp, exp.Sign,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Left, exp.Right, exp.Replace,
    exp.Concat, exp.StrPosition, exp.StartsWith, exp.RegexpLike, exp.Coalesce, exp.Nullif, exp.Case,
    exp.If, exp.Cast, exp.TryCast, exp.Greatest, exp.Least, exp.Extract, exp.TimestampTrunc,
    exp.DateTrunc, exp.TimeToStr, exp.CurrentDate, exp.CurrentTimestamp, exp.RowNumber, exp.Rank,
    exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.Ntile,
)  # fmt: skip
_ALLOWED = frozenset((*_SHAPE, *_OPERATORS, *_FUNCTIONS))
_TYPES = frozenset(
    {
        exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR, exp.DType.INT, exp.DType.BIGINT,
        exp.DType.SMALLINT, exp.DType.DECIMAL, exp.DType.DOUBLE, exp.DType.FLOAT, exp.DType.DATE,
        exp.DType.TIMESTAMP, exp.DType.BOOLEAN, exp.DType.INTERVAL,
    }
)  # fmt: skip


@dataclass(frozen=True)
class CheckedSql:
    """A statement that only selects; `tables` are the names that it reads, as they were written."""

    tables: tuple[str, ...]
    tree: exp.Query

    def sql(self, names: Mapping[str, str]) -> str:
        """Return DuckDB's SQL with each table under the name that it has there.

        Names that the statement makes itself (WITH) get a prefix: where one is used out of its place,
        it is the name of nothing, least of all of one of the engine's own tables.
        """
        tree = self.tree.copy()
        local = _local_names(tree)
        for table in tree.find_all(exp.Table):
            own = table.name.lower() in local
            name = f"{LOCAL}{table.name.lower()}" if own else names[table.name]
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("this", exp.to_identifier(name, quoted=True))
        for one in tree.find_all(exp.CTE):
            name = f"{LOCAL}{one.alias.lower()}"
            one.args["alias"].set("this", exp.to_identifier(name, quoted=True))
        return tree.sql(dialect="duckdb", identify=True, comments=False)


def check_sql(text: str) -> CheckedSql:
    """Return the statement if it is one SELECT of nothing but what the lists above hold.

    Raises:
        Invalid: it is not; the message names what is refused.
    """
    if len(text) > LONGEST_SQL:
        raise _refused("SQL 太长：最多 {most} 个字符。", most=LONGEST_SQL)
    tree = _only_query(text)
    for number, (node, depth) in enumerate(_walk(tree)):
        if number >= MOST_NODES or depth > DEEPEST:
            raise _refused("SQL 太复杂，请简化后重试。")
        _check_node(node)
    local = _local_names(tree)
    tables = dict.fromkeys(t.name for t in tree.find_all(exp.Table) if t.name.lower() not in local)
    if not tables:
        raise _refused("请在 FROM 后写出数据文件的编号，并加双引号。")
    if len(tables) > MOST_TABLES:
        raise _refused("一次最多查询 {most} 张表。", most=MOST_TABLES)
    return CheckedSql(tuple(tables), tree)


def _only_query(text: str) -> exp.Query:
    try:
        found = [one for one in sqlglot.parse(text, read="postgres") if one is not None]
    except SqlglotError as error:
        raise _refused("SQL 无法理解：{reason}", reason=str(error).splitlines()[0][:200]) from error
    except RecursionError as error:
        raise _refused("SQL 太复杂，请简化后重试。") from error
    if len(found) != 1:
        raise _refused("只能写一条语句。")
    tree = found[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise _refused("只能查询（SELECT），不能更改或执行其他操作。")
    return tree


def _walk(tree: exp.Expr) -> Iterator[tuple[exp.Expr, int]]:
    """Yield every node with its depth, without recursion: the caller chose how deep it goes."""
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_expressions()]


def _check_node(node: exp.Expr) -> None:
    kind = type(node)
    if kind not in _ALLOWED:
        raise _refused("SQL 中不能使用“{what}”。", what=_words(node))
    if kind is exp.Table:
        _check_table(node)
    elif kind is exp.DataType and node.this not in _TYPES:
        raise _refused("SQL 中不能使用类型“{what}”。", what=_words(node))
    elif kind is exp.With and node.args.get("recursive"):
        raise _refused("SQL 中不能使用“{what}”。", what="WITH RECURSIVE")
    elif kind is exp.Column and (node.args.get("catalog") or node.args.get("db")):
        raise _refused("SQL 中不能使用“{what}”。", what=_words(node))


def _check_table(table: exp.Expr) -> None:
    """A table is a name: no function, no schema, no sample, no other time."""
    plain = isinstance(table.this, exp.Identifier) and not (
        table.args.get("db") or table.args.get("catalog")
    )
    more = {k for k, v in table.args.items() if v and k not in ("this", "alias", "joins")}
    if not plain or more:
        raise _refused("FROM 之后只能写数据文件的编号：“{what}”不能使用。", what=_words(table))


def _local_names(tree: exp.Expr) -> frozenset[str]:
    return frozenset(one.alias.lower() for one in tree.find_all(exp.CTE))


def _words(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return str(node.name)[:60]
    return node.sql(dialect="postgres")[:60] if isinstance(node, exp.Table) else node.key.upper()


def _refused(message: str, **params: object) -> Invalid:
    return Invalid.one("sql", "refused", message, **params)
