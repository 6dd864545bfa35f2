"""Axes, arms and spreads of a sweep, as its figures draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.attributes import evidence_of
from ldnsim.metrics.summary import over_people
from ldnsim.plots.arms import CLOCK_TICKS, metric_variable
from ldnsim.plots.scales import label

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Floats", "axes_of", "axis_settings", "is_clock", "metric_title", "of_arm", "spread_of", "tag_of"]

Floats = NDArray[np.float64]
WIDE = 8.0  # an axis that spans more than this factor is logarithmic
OWN = ("account", "arm", "subject", "quantile")


def of_arm(grid: xr.Dataset, metric: str, wanted: int, arm: str | None) -> xr.DataArray:
    """The metric in one arm; raises LdnsimError for a different number of axes or an unknown arm."""
    data = metric_variable(grid, metric)
    axes = axes_of(data)
    if len(axes) != wanted:
        found = ", ".join(axes) or "none"
        picks = ", ".join(f"{name!r}: ..." for name in axes[wanted:])
        more = f"; select a cell of the others: grid.sel({{{picks}}})" if len(axes) > wanted else ""
        raise LdnsimError(f"The sweep has {len(axes)} axes ({found}); expected {wanted}{more}.")
    for name in axes:
        if data[name].dtype.kind not in "fiu":
            raise LdnsimError(f"The axis {name!r} holds values that are not numbers, and cannot be drawn.")
    arms = [str(name) for name in grid["arm"].values]
    if arm is not None and arm not in arms:
        raise LdnsimError(f"The sweep has no arm {arm!r}; expected one of: {', '.join(arms)}.")
    heads = [name.split(".")[0] for name in axes]
    return data.sel(arm=arm or next((head for head in heads if head in arms), arms[0]))


def axes_of(data: xr.DataArray) -> list[str]:
    return [str(dim) for dim in data.dims if dim not in OWN]


def spread_of(data: xr.DataArray, account: str) -> tuple[Floats | None, Floats, Floats | None]:
    """(5 %, 50 %, 95 %) quantiles over people or draws, or (None, values, None) of one person."""
    if "subject" in data.dims:
        data = over_people(data.to_dataset(name="m"))["m"]
    found = data.sel(account=account)
    if "quantile" not in found.dims:
        return None, np.asarray(found.to_numpy(), dtype=float), None
    levels = np.round(found["quantile"].to_numpy(), 6).tolist()
    if not {0.05, 0.5, 0.95} <= set(levels):
        raise LdnsimError(f"The sweep has the quantiles {levels}; expected 0.05, 0.5 and 0.95 among them.")
    low, middle, high = (found.isel(quantile=levels.index(level)).to_numpy() for level in (0.05, 0.5, 0.95))
    return low, middle, high


def is_clock(axis: str) -> bool:
    return axis.endswith(".at")


def axis_settings(grid: xr.Dataset, axis: str, *, coarse: bool = False) -> dict[str, Any]:
    """Settings of an axis: clock times as h:min, a wide span logarithmic, the unit in the title."""
    values = np.sort(np.asarray(grid[axis].to_numpy(), dtype=float))
    if is_clock(axis):
        hours = CLOCK_TICKS[:: 2 if coarse else 1]
        ticks = {"tickvals": hours, "ticktext": [f"{hour:02d}:00" for hour in hours]}
        return {"title": {"text": f"{label(axis)} (clock time, h:min)"}, **ticks}
    unit = str(grid[axis].attrs.get("units", "1"))
    titled = {"title": {"text": f"{label(axis)} ({'ratio' if unit in ('1', '') else label(unit)})"}}
    if values[0] > 0 and values[-1] / values[0] > WIDE:
        return {**titled, "type": "log", "tickvals": _few(values), "ticktext": [f"{value:g}" for value in _few(values)]}
    return titled


def _few(values: Floats) -> Floats:
    """About a dozen values, far enough apart on a logarithmic axis to be legible."""
    kept: list[float] = []
    for value in values:
        if not kept or np.log(value / kept[-1]) > np.log(values[-1] / values[0]) / 14:
            kept.append(float(value))
    return np.array(kept)


def tag_of(data: xr.DataArray, account: str) -> str:
    return evidence_of(data, account)


def metric_title(data: xr.DataArray) -> str:
    words = str(data.attrs.get("long_name", data.attrs["metric"]))
    return words if len(words) < 90 else words[:87] + "..."
