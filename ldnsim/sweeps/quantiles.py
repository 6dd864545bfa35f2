"""Metrics of people -> their quantiles in each cell, once all people are computed."""

from __future__ import annotations

import json
import math
import os
import shutil
import warnings
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.metrics.summary import over_people
from ldnsim.sweeps.plan import ABSENT
from ldnsim.sweeps.store import IDENTITY, SUMMARISED

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

__all__ = ["over_cells", "restored", "summarise_store"]

NUMBERS_AT_ONCE = 5_000_000


def over_cells(table: xr.Dataset) -> xr.Dataset:
    """`over_people` of a table that may be larger than memory: by variable, some cells at a time.

    Adds `n_people`, and the most common `reason` of people without a solution.
    """
    import xarray as xr

    pieces = []
    first = str(table["status"].dims[0])
    rest = math.prod(table["status"].shape[1:])
    step = max(1, NUMBERS_AT_ONCE // rest) if first != "subject" else table.sizes[first]
    for start in range(0, table.sizes[first], step):
        some = table.isel({first: slice(start, start + step)})
        parts = [_people(some)]
        for name, data in some.data_vars.items():
            if "metric" in data.attrs:
                names = [name, *(other for other in (f"{name}_reason",) if other in some)]
                parts.append(over_people(some[names].load()))
        pieces.append(xr.merge(parts, compat="equals", join="exact", combine_attrs="override"))
    whole = xr.concat(pieces, first, data_vars="minimal") if len(pieces) > 1 else pieces[0]
    whole.attrs = dict(table.attrs)
    return whole


def _people(table: xr.Dataset) -> xr.Dataset:
    """Numbers of people and of people with a solution, and the most common reason of the others."""
    import xarray as xr

    status, reason = table["status"].transpose(..., "subject").load(), table["reason"].transpose(..., "subject").load()
    like = status.isel(subject=0, drop=True)
    found = np.full(like.shape, "", object)
    for place in np.argwhere(((status != 0) & (status != ABSENT)).any("subject").to_numpy()):
        texts = [text for text in reason.to_numpy()[tuple(place)] if text]
        found[tuple(place)] = max(sorted(set(texts)), key=texts.count) if texts else ""
    there, solved = (status != ABSENT).sum("subject"), (status == 0).sum("subject")
    return xr.Dataset(
        {
            "n_people": there.assign_attrs(units="1", long_name="People in the cell"),
            "n_solved": solved.assign_attrs(units="1", long_name="People whose simulation succeeded"),
            "reason": (like.dims, found, {"long_name": "The commonest reason of those not solved"}),
        },
        like.coords,
    )


def summarise_store(path: Path) -> None:
    """Replace the store of a complete sweep by the quantiles over its people, atomically."""
    import xarray as xr

    people, beside = _people_path(path), path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with xr.open_zarr(path, chunks=None) as table:
            summary = over_cells(table)
        summary.attrs[IDENTITY] = json.dumps(json.loads(summary.attrs[IDENTITY]) | {SUMMARISED: True})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # see `store`
            summary.to_zarr(beside, zarr_format=3, consolidated=True)
        path.rename(people)
        beside.rename(path)
        shutil.rmtree(people, ignore_errors=True)
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot write to {path}: {caught.strerror or caught}")) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def restored(path: Path) -> None:
    """Move the store of people back if a process ended between the two renames."""
    people = _people_path(path)
    if people.exists() and not path.exists():
        people.rename(path)
    elif people.exists():
        shutil.rmtree(people, ignore_errors=True)


def _people_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.people")
