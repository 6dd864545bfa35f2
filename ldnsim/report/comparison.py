"""The table of metrics as text without a layout: accounts and arms in rows, the main metrics in columns.

Numbers have 3 significant digits; fractions are in %, clock times HH:MM; a missing number is a dash with a footnote.
Values of a population are medians, and a difference between arms is taken within each person first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics.attributes import evidence_of
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.number_text import difference_text, formatted, label_of, style_of
from ldnsim.metrics.summary import over_people
from ldnsim.model.output_kinds import kind_named
from ldnsim.simulation.result import stated

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Comparison", "MetricCell", "MetricColumn", "MetricRow", "comparison"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MetricColumn:
    """A metric: its name in the table, its heading, the unit of plain numbers ("" for fractions, ratios and clock
    times), and what it means."""

    metric: str
    label: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class MetricCell:
    """One number as text.

    `spread` is its 5 to 95 % range over people, `difference` that to the first arm ("" there); `notes` are
    indices into the comparison's footnotes. `uncertainty` is the 5 to 95 % range of the number over the draws of
    uncertain parameters.
    """

    text: str
    spread: str = ""
    difference: str = ""
    notes: tuple[int, ...] = ()
    uncertainty: str = ""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One account and arm; a cell per column."""

    account: str
    arm: str
    evidence: str
    cells: tuple[MetricCell, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The default table of one output."""

    output: str
    title: str
    columns: tuple[MetricColumn, ...]
    rows: tuple[MetricRow, ...]
    footnotes: tuple[str, ...]


def comparison(table: xr.Dataset) -> list[Comparison]:
    """Format a table of metrics, one comparison per output.

    Parameters
    ----------
    table : xarray.Dataset
        As returned by `summarize`.

    Returns
    -------
    list of Comparison
        In the order of the table; rows by account, then arm.
    """
    outputs = dict.fromkeys(str(data.attrs["output"]) for data in table.data_vars.values() if "metric" in data.attrs)
    drawn = _over_draws(table) if "draw" in table.dims else None
    table = stated(table)
    # only what is shown: quantiles of a whole table of many people are slow
    names = [f"{output}_{metric}" for output in outputs for metric in _shown(table, output)]
    typical = over_people(table[names]) if "subject" in table.dims else None
    return [_comparison(table, typical, drawn, output) for output in outputs]


def _over_draws(table: xr.Dataset) -> xr.Dataset:
    """The 5 and 95 % quantiles, over the draws of uncertain parameters, of each metric's median over people."""
    draws = table.isel(draw=slice(1, None))  # the first one has the values as stated
    if "subject" in draws.dims:
        draws = over_people(draws, [0.5]).sel(quantile=0.5, drop=True)
    return over_people(draws.rename(draw="subject"), [0.05, 0.95])


def _comparison(table: xr.Dataset, typical: xr.Dataset | None, drawn: xr.Dataset | None, output: str) -> Comparison:
    metrics = _shown(table, output)
    columns = tuple(_column(table, output, metric) for metric in metrics)
    footnotes: dict[str, int] = {}
    accounts, arms = ([str(name) for name in table[dim].values] for dim in ("account", "arm"))
    cells = [_cells(table, typical, drawn, output, metric, footnotes) for metric in metrics]
    rows = []
    for a, account in enumerate(accounts):
        for b, arm in enumerate(arms):
            rows.append(
                MetricRow(account, arm, _evidence(table, output, metrics, account), tuple(grid[a][b] for grid in cells))
            )
    return Comparison(output, _title(table, output, metrics), columns, tuple(rows), tuple(footnotes))


def _shown(table: xr.Dataset, output: str) -> list[str]:
    """The metrics shown for an output: the main ones of its kind, as far as the table has them."""
    of_output = (data for data in table.data_vars.values() if data.attrs.get("output") == output)
    kind = next((data.attrs["kind"] for data in of_output if "kind" in data.attrs), "other")
    return [metric for metric in kind_named(kind).headline if f"{output}_{metric}" in table]


def _title_of_metric(metric: str) -> str:
    entry = metric_named(metric)
    return entry.title if entry else metric


def _column(table: xr.Dataset, output: str, metric: str) -> MetricColumn:
    unit = str(table[f"{output}_{metric}"].attrs.get("units", "1"))
    plain = style_of(table[f"{output}_{metric}"]) == "plain" and unit != "1"
    return MetricColumn(metric, label_of(metric), unit.replace("*", "·") if plain else "", _title_of_metric(metric))


def _title(table: xr.Dataset, output: str, metrics: list[str]) -> str:
    if not metrics:
        return output
    attrs = table[f"{output}_{metrics[0]}"].attrs
    return str(attrs.get("long_name", output)).removesuffix(f": {_title_of_metric(metrics[0])}")


def _evidence(table: xr.Dataset, output: str, metrics: list[str], account: str) -> str:
    return evidence_of(table[f"{output}_{metrics[0]}"], account) if metrics else ""


def _cells(
    table: xr.Dataset,
    typical: xr.Dataset | None,
    drawn: xr.Dataset | None,
    output: str,
    metric: str,
    footnotes: dict[str, int],
) -> list[list[MetricCell]]:
    """Cells of one metric, accounts by arms; new footnotes are added to `footnotes` (text -> index)."""
    name, style = f"{output}_{metric}", style_of(table[f"{output}_{metric}"])
    values = _people(table[name])  # (account, arm, people)
    middle = (
        values[..., 0] if typical is None else typical[name].sel(quantile=0.5).transpose("account", "arm").to_numpy()
    )
    ends, uncertain = (
        None
        if found is None
        else found[name].sel(quantile=[0.05, 0.95]).transpose("account", "arm", "quantile").to_numpy()
        for found in (typical, drawn)
    )
    change = values - values[:, :1]
    change = (change + 12.0) % 24.0 - 12.0 if style == "clock" else change
    known = np.isfinite(change)
    typical_change = np.full(middle.shape, np.nan)
    typical_change[known.any(axis=-1)] = [
        np.median(row[fine]) for row, fine in zip(change[known.any(axis=-1)], known[known.any(axis=-1)], strict=True)
    ]
    grid = []
    for a in range(values.shape[0]):
        row = []
        for b in range(values.shape[1]):
            notes = tuple(
                footnotes.setdefault(text, len(footnotes)) for text in _missing(table, name, a, b, values[a, b])
            )
            spread, uncertainty = (
                " to ".join(formatted(end, style) for end in found[a, b])
                if found is not None and np.isfinite(middle[a, b])
                else ""
                for found in (ends, uncertain)
            )
            difference = difference_text(middle[a, b], middle[a, 0], typical_change[a, b], style) if b else ""
            row.append(MetricCell(formatted(middle[a, b], style), spread, difference, notes, uncertainty))
        grid.append(row)
    return grid


def _people(data: xr.DataArray) -> Floats:
    """Values as (account, arm, people), one person where there is no population."""
    if "subject" not in data.dims:
        data = data.expand_dims(subject=1)
    return np.asarray(data.transpose("account", "arm", "subject").to_numpy(), dtype=float)


def _missing(table: xr.Dataset, name: str, account: int, arm: int, values: Floats) -> list[str]:
    """Why some people of an account and arm have no value; empty if all have one."""
    missing = ~np.isfinite(values)
    if not missing.any():
        return []
    reasons = Counter(text for text in _reasons(table, name, account, arm)[missing] if text)
    reason = reasons.most_common(1)[0][0] if reasons else "no value"
    if values.size == 1:
        return [reason]
    mostly = "mostly: " if len(reasons) > 1 else ""
    return [f"{missing.sum()} of {values.size} people have none, {mostly}{reason}"]


def _reasons(table: xr.Dataset, name: str, account: int, arm: int) -> NDArray[np.object_]:
    """Why a person has no value, shape (people,): the metric's reason, else why the run was not solved; or ""."""
    texts: list[NDArray[np.object_]] = []
    for source, lead in ((f"{name}_reason", ""), ("reason", "not solved: ")):
        if source in table:
            found = np.atleast_1d(table[source].isel(account=account, arm=arm).to_numpy())
            texts.append(np.array([lead + str(text) if str(text) else "" for text in found], dtype=object))
    if len(texts) == 2:
        return np.where(texts[0] != "", texts[0], texts[1])
    return texts[0] if texts else np.full(max(table.sizes.get("subject", 1), 1), "", dtype=object)
