"""Curves -> metrics, as plain arrays: all metrics of many rows, or one of a few. `summary` does it for Datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics import nca
from ldnsim.metrics.catalogue import metrics_of
from ldnsim.metrics.registry import Metric
from ldnsim.metrics.signal import Signal
from ldnsim.metrics.view import Floats, OutputView, Texts
from ldnsim.model.baselines import DRUG_FREE
from ldnsim.model.output_kinds import OutputKind

__all__ = ["Curves", "Measured", "measured", "read_metric"]

NUMBERS_AT_ONCE = 40_000  # of one output: a fraction of a processor's own cache


@dataclass(frozen=True)
class Curves:
    """One output: `values` (rows, times); `twin` (twins, times) without drug, or None; the output's kind and baseline;
    `doses` (rows, dose), h, NaN-padded, above zero, that it is about."""

    values: Floats
    twin: Floats | None
    kind: OutputKind
    relative_to: str | None
    doses: Floats


class Measured(NamedTuple):
    """A metric of all rows; `reason` says why there is none (None: a solved output always has it)."""

    output: str
    metric: str
    values: Floats
    reason: Texts | None


class _MetricsWindow(NamedTuple):
    """The times of a metrics window, h, and how to read curves there."""

    time: Floats
    grid: Floats
    stretch: slice | None  # of the times, where they hold all of the grid

    def read(self, curves: Floats) -> Signal:
        if self.stretch is not None:
            return Signal(self.grid, curves[..., self.stretch])
        return Signal(self.grid, nca.read_at(self.time, curves, self.grid))


def measured(
    time: Floats, grid: Floats, outputs: Mapping[str, Curves], twin_of: NDArray[np.int_], first_of: NDArray[np.int_]
) -> list[Measured]:
    """Every metric of every output over the window sampled at `grid` (see `nca.times_between`), h.

    `twin_of` (rows,) is the row of each one's twin, `first_of` (rows,) that of the same person in the first arm.
    Metrics after the last dose look beyond the window, to the last of `time`. Rows are taken a few at a time, so that
    they stay in the processor's cache.
    """
    rows = len(twin_of)
    first = int(np.searchsorted(time, grid[0]))
    stretch = slice(first, first + len(grid))
    window = _MetricsWindow(time, grid, stretch if np.array_equal(time[stretch], grid) else None)
    step = max(1, NUMBERS_AT_ONCE // len(grid))
    pieces = [
        _of_some_rows(window, outputs, twin_of, first_of, slice(at, at + step)) for at in range(0, max(rows, 1), step)
    ]
    if len(pieces) == 1:
        return pieces[0]
    return [
        Measured(
            same[0].output,
            same[0].metric,
            np.concatenate([piece.values for piece in same]),
            None if same[0].reason is None else np.concatenate([piece.reason for piece in same]),
        )
        for same in zip(*pieces, strict=True)
    ]


def _of_some_rows(
    window: _MetricsWindow,
    outputs: Mapping[str, Curves],
    twin_of: NDArray[np.int_],
    first_of: NDArray[np.int_],
    some: slice,
) -> list[Measured]:
    blocking = next((curves for curves in outputs.values() if curves.kind.is_blockade), None)
    gate = None if blocking is None else window.read(blocking.values[some])
    found: list[Measured] = []
    for name, curves in outputs.items():
        view = _view(window, curves, gate, twin_of[some], first_of[some], some)
        found += [Measured(name, metric.name, *metric.read(view)) for metric in metrics_of(curves.kind)]
    return found


def _view(
    window: _MetricsWindow,
    curves: Curves,
    gate: Signal | None,
    twin_of: NDArray[np.int_],
    first_of: NDArray[np.int_],
    some: slice,
) -> OutputView:
    curve, twin = window.read(curves.values[some]), None
    if curves.kind.says_tone and curves.relative_to == DRUG_FREE:
        twin = Signal(curve.time, np.ones_like(curve.values))
    elif curves.kind.says_tone and curves.twin is not None:
        twin = window.read(curves.twin[twin_of])
    return OutputView(
        curve=curve,
        doses=curves.doses[some],
        whole_time=window.time,
        whole=curves.values[some],
        twin=twin,
        blockade=gate,
        first=lambda: window.read(curves.values[first_of]),
    )


def read_metric(metric: Metric, time: Floats, curves: Floats, window: tuple[float, float], doses: Floats) -> Floats:
    """A metric (rows,) of curves (rows, n) on `time` (n,) over a window (start, end), h; NaN where there is none.

    `doses` (dose,) are the times, h, that all rows have in common. For fits and predictions, which ask for one number
    of one curve, and so read extremes between samples, too (`Metric.smooth`).
    """
    grid = nca.times_between(time, *window)
    shared = np.broadcast_to(doses, (len(curves), len(doses)))
    view = OutputView(Signal(grid, nca.read_at(time, curves, grid)), shared, time, curves)
    values, reason = metric.read(view)
    if metric.smooth is not None:
        values = metric.smooth(view)
    return values if reason is None else np.where(reason == "", values, np.nan)
