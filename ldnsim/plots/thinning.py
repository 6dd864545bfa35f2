"""Thinning of curves to the samples that determine their shape."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

__all__ = ["shape_points"]

Floats = NDArray[np.float64]
DECADES = 4.0  # range of a logarithmic axis


def shape_points(time: Floats, curves: Floats, most: int) -> NDArray[np.intp]:
    """Indices (m,), m <= most, of the samples to keep of `curves` (k, n) on `time` (n,); all of them if n <= most.

    Starting from both ends, the sample farthest from the straight line between its kept neighbours is added next
    (Douglas and Peucker 1973). Distance is the larger of the distances on a linear and on a logarithmic axis, as a
    share of the range, so that the curve keeps its shape on both. All k curves keep the same samples, as the edges
    of a band must.
    """
    count = time.size
    most = max(most, 2)
    if count <= most:
        return np.arange(count)
    scaled = _scaled(curves)
    kept = [0, count - 1]
    waiting = [_farthest(time, scaled, 0, count - 1)]
    while waiting and len(kept) < most:
        lack, at, start, end = heapq.heappop(waiting)
        if lack == 0.0:
            break
        kept.append(at)
        for a, b in ((start, at), (at, end)):
            if b - a > 1:
                heapq.heappush(waiting, _farthest(time, scaled, a, b))
    return np.sort(np.array(kept))


def _scaled(curves: Floats) -> Floats:
    """The curves as shares of their range on a linear and on a logarithmic axis, shape (2k, n), without NaN."""
    filled = np.nan_to_num(curves, nan=0.0, posinf=0.0, neginf=0.0)
    size = np.ptp(filled) or 1.0
    top = np.abs(filled).max() or 1.0
    logs = np.log10(np.maximum(filled / top, 10**-DECADES)) / DECADES
    return np.concatenate([filled / size, logs])


def _farthest(time: Floats, scaled: Floats, start: int, end: int) -> tuple[float, int, int, int]:
    """(minus the largest distance from the chord, its index, start, end), so that a heap pops the largest first."""
    inner = slice(start + 1, end)
    width = time[end] - time[start]
    share = (time[inner] - time[start]) / width if width > 0 else np.zeros(end - start - 1)
    chord = scaled[:, start, None] + (scaled[:, end, None] - scaled[:, start, None]) * share
    away = np.abs(scaled[:, inner] - chord).max(axis=0)
    at = int(away.argmax())
    return -float(away[at]), start + 1 + at, start, end
