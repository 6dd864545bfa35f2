"""Datasets from which one account or arm was selected before plotting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.metrics.outputs import is_twin_name

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["with_picked"]

DOSES = ("dose_", "missed_")  # belong to no account


def with_picked(data: xr.Dataset) -> xr.Dataset:
    """The Dataset with dims `account` and `arm`, also if one of them was selected: `result.sel(arm="night")`."""
    if "account" in data.coords and "account" not in data.dims:
        data = _along(data, "account", [str(name) for name in data.data_vars if not str(name).startswith(DOSES)])
    if "arm" in data.coords and "arm" not in data.dims:
        data = _along(data, "arm", [str(name) for name in data.data_vars if not is_twin_name(name)])
    return data


def _along(data: xr.Dataset, dim: str, names: list[str]) -> xr.Dataset:
    kept = data.drop_vars(dim)
    found = {name: kept[name].expand_dims(dim).variable for name in names}
    return kept.assign(found).assign_coords({dim: [data[dim].item()]})
