"""Curves in a result as the solver recorded them: polynomials on pieces of the window of metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.metrics.mesh import Mesh
from ldnsim.metrics.outputs import PIECE_END, PIECE_START, pieces_name
from ldnsim.metrics.signal import Signal

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["mesh_in", "signal_in", "spread"]


def spread(data: xr.DataArray, like: xr.DataArray, *last: str) -> NDArray[Any]:
    """`data` over all dims of `like`, then `last`: a drug-free twin has no arm, every arm is compared with it."""
    sizes = {dim: like.sizes[dim] for dim in like.dims} | {dim: data.sizes[dim] for dim in last}
    whole = data.variable.set_dims(sizes)  # type: ignore[no-untyped-call]
    return np.asarray(whole.transpose(*sizes).to_numpy())


def mesh_in(result: xr.Dataset, like: xr.DataArray) -> Mesh | None:
    """The pieces of every person in every arm, a row each in the order of `like`; None where the result has none."""
    if PIECE_START not in result:
        return None
    shape = like.size, result.sizes["piece"]
    start, end = (spread(result[name], like, "piece").reshape(shape) for name in (PIECE_START, PIECE_END))
    there = np.isfinite(start)
    counts = there.sum(axis=1)
    last = np.cumsum(counts)
    return Mesh(last - counts, last, start[there], end[there])


def signal_in(result: xr.Dataset, name: str, like: xr.DataArray, mesh: Mesh) -> Signal:
    """An output or a twin on the mesh that the result holds, as of `mesh_in`."""
    found = spread(result[pieces_name(name)], like, "piece", "node")
    there = np.isfinite(spread(result[PIECE_START], like, "piece"))
    return Signal(mesh, found[there])
