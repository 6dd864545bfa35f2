"""The tables of a page: metrics by account and arm, and the evidence of each output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ldnsim.metrics.attributes import evidence_of, observed_of
from ldnsim.report.comparison import Comparison, MetricCell, MetricColumn, MetricRow
from ldnsim.report.page_figures import MANY_ARMS, outputs_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["MetricsTable", "OutputEvidence", "metrics_tables", "outputs_with_evidence"]


@dataclass(frozen=True)
class TableLine:
    """An arm's numbers, or their differences from the first arm."""

    arm: str
    cells: tuple[MetricCell, ...]
    is_difference: bool = False


@dataclass(frozen=True)
class AccountLines:
    """The lines of one account."""

    account: str
    evidence: str
    lines: tuple[TableLine, ...]


@dataclass(frozen=True)
class MetricsTable:
    """One output: rows are accounts and arms, columns its main metrics; `explained` are those explained below it."""

    title: str
    columns: tuple[MetricColumn, ...]
    groups: tuple[AccountLines, ...]
    explained: tuple[MetricColumn, ...]
    footnotes: tuple[str, ...]


@dataclass(frozen=True)
class OutputEvidence:
    """The evidence of an output: a tag per account, and the range of human data ("" if it is not stated)."""

    name: str
    title: str
    tags: tuple[str, ...]
    observed: str


def metrics_tables(compared: Iterable[Comparison], titles: Mapping[str, str]) -> Iterator[MetricsTable]:
    """Arrange comparisons as tables; each metric is explained below the first table that has it.

    Parameters
    ----------
    compared : iterable of Comparison
        As returned by `comparison`.
    titles : mapping of str to str
        Arm -> title.

    Yields
    ------
    MetricsTable
        One per output.
    """
    explained: set[str] = set()
    for each in compared:
        groups = []
        for account, rows in groupby(each.rows, key=lambda row: row.account):
            own = list(rows)
            groups.append(AccountLines(account, own[0].evidence, tuple(_lines(own, titles))))
        new = tuple(column for column in each.columns if column.metric not in explained)
        explained |= {column.metric for column in new}
        yield MetricsTable(each.title, each.columns, tuple(groups), new, each.footnotes)


def _lines(rows: list[MetricRow], titles: Mapping[str, str]) -> Iterator[TableLine]:
    """A line per arm; for few arms, one per difference too."""
    for row in rows:
        title = titles.get(row.arm, row.arm)
        yield TableLine(title, row.cells)
        if len(rows) < MANY_ARMS and any(cell.difference for cell in row.cells):
            yield TableLine(title, row.cells, is_difference=True)


def outputs_with_evidence(result: xr.Dataset) -> Iterator[OutputEvidence]:
    """The tag of every output in every account, and the range of human data."""
    accounts = [str(name) for name in result["account"].values]
    for name in outputs_of(result):
        attrs = result[name].attrs
        tags = tuple(evidence_of(result[name], account, "unknown") for account in accounts)
        yield OutputEvidence(name, str(attrs.get("long_name", name)), tags, observed_of(result[name]))
