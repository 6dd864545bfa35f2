"""Overview of a sweep: where each main metric is lowest and highest, and how many cells failed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.metrics.number_text import formatted, style_of
from ldnsim.model.output_kinds import kind_named

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Extreme", "extremes", "failures", "place_text"]

NOT_CELLS = ("account", "arm", "subject", "time", "quantile", "dose")


@dataclass(frozen=True)
class Extreme:
    """The lowest and highest value of a metric in one account, over cells and arms, as text, and where they are."""

    account: str
    output: str
    metric: str
    lowest: str
    lowest_at: str
    highest: str
    highest_at: str


def extremes(table: xr.Dataset) -> list[Extreme]:
    """The extremes of each output's main metrics, by account; values of a population are medians."""
    outputs = dict.fromkeys(str(data.attrs["output"]) for data in table.data_vars.values() if "metric" in data.attrs)
    found = []
    for account in table["account"].to_numpy():
        for output in outputs:
            for metric in _overview_metrics(table, output):
                data = table[f"{output}_{metric}"].sel(account=account)
                data = data.sel(quantile=0.5) if "quantile" in data.dims else data
                data = _median(data) if "subject" in data.dims else data
                if not bool(data.isnull().all()):
                    found.append(_extreme(table, data, str(account), output, metric))
    return found


def _overview_metrics(table: xr.Dataset, output: str) -> list[str]:
    """The metrics of an output in the overview of a sweep, as far as the table has them."""
    of_output = (data for data in table.data_vars.values() if data.attrs.get("output") == output)
    kind = next((data.attrs["kind"] for data in of_output if "kind" in data.attrs), "other")
    return [metric for metric in kind_named(kind).overview if f"{output}_{metric}" in table]


def _median(data: xr.DataArray) -> xr.DataArray:
    values = data.transpose(..., "subject").to_numpy()
    known = np.isfinite(values).any(axis=-1)
    middle = np.where(known, np.nanmedian(np.where(known[..., None], values, 0.0), axis=-1), np.nan)
    return data.isel(subject=0, drop=True).copy(data=middle)


def _extreme(table: xr.Dataset, data: xr.DataArray, account: str, output: str, metric: str) -> Extreme:
    style = style_of(data)
    unit = str(data.attrs.get("units", "1"))
    texts = []
    for index in (int(np.nanargmin(data.to_numpy())), int(np.nanargmax(data.to_numpy()))):
        place = np.unravel_index(index, data.shape)
        one = data.isel(dict(zip(data.dims, map(int, place), strict=True)))
        number = formatted(float(one), style)
        texts += [f"{number} {unit}" if style == "plain" and unit != "1" else number, place_text(table, one)]
    return Extreme(account, output, metric.replace("_", " "), *texts)


def place_text(table: xr.Dataset, one: xr.DataArray) -> str:
    """A cell in words: the value on each axis, and the arm."""
    titles = json.loads(table.attrs.get("arm_titles", "{}"))
    parts = []
    for name in _axes(table):
        value = one.coords[name].item()
        unit = str(table[name].attrs.get("units", ""))
        if "clock time" in str(table[name].attrs.get("long_name", "")):
            parts.append(formatted(float(value), "clock"))
        elif isinstance(value, float | int):
            parts.append(f"{value:.4g}" + (f" {unit}" if unit not in ("", "1") else ""))
        else:
            parts.append(str(value))
    if table.sizes.get("arm", 1) > 1 and "arm" in one.coords:
        arm = str(one.coords["arm"].item())
        parts.append(titles.get(arm, arm))
    return ", ".join(parts)


def _axes(table: xr.Dataset) -> list[str]:
    axes = table.attrs.get("axes", [])
    return [axes] if isinstance(axes, str) else [str(axis) for axis in axes]


def failures(table: xr.Dataset) -> tuple[int, int, dict[str, int]]:
    """Count the runs of a sweep that could not be solved.

    Parameters
    ----------
    table : xarray.Dataset
        As returned by `sweep`.

    Returns
    -------
    failed, total : int
        Over cells, accounts, arms and people; people outside a cell's population do not count.
    reasons : dict of str to int
        Reason -> count, the most common first.
    """
    if "n_solved" in table:
        missing = (table["n_people"] - table["n_solved"]).to_numpy()
        return int(missing.sum()), int(table["n_people"].sum()), _counted(table["reason"].to_numpy(), missing)
    status = table["status"].to_numpy()
    absent = dict(
        zip(table["status"].attrs["flag_meanings"].split(), table["status"].attrs["flag_values"], strict=True)
    )
    there = status != absent.get("not_in_the_population", -2)
    failed = (status != 0) & there
    counts = _counted(table["reason"].to_numpy(), failed) if failed.any() else {}
    return int(failed.sum()), int(there.sum()), counts


def _counted(reasons: np.ndarray, numbers: np.ndarray) -> dict[str, int]:
    """How often each reason occurs, the most common first."""
    counts: Counter[str] = Counter()
    for text, number in zip(reasons[numbers > 0].tolist(), numbers[numbers > 0].tolist(), strict=True):
        counts[text or "not yet computed"] += int(number)
    return dict(counts.most_common())
