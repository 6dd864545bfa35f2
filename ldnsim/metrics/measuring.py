"""Curves -> metrics, as plain arrays: all metrics of many rows, or one of a few. `summary` does it for Datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics.catalogue import metrics_of
from ldnsim.metrics.mesh import Mesh
from ldnsim.metrics.registry import Metric
from ldnsim.metrics.signal import Signal
from ldnsim.metrics.view import Floats, OutputView, Texts
from ldnsim.model.baselines import DRUG_FREE
from ldnsim.model.output_kinds import OutputKind

__all__ = ["Curves", "Measured", "measured", "read_metric"]


@dataclass(frozen=True)
class Curves:
    """One output of all rows: `values` and those without drug, or None, (pieces, nodes) on a mesh that all outputs
    share; the output's kind and baseline; `doses` (rows, dose), h, NaN-padded, above zero, that it is about."""

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


def measured(
    mesh: Mesh, outputs: Mapping[str, Curves], window: tuple[float, float], first_of: NDArray[np.int_]
) -> list[Measured]:
    """Every metric of every output over a window (start, end), h, within what the mesh covers.

    `first_of` (rows,) is the row of the same person in the first arm. Metrics after the last dose look beyond the
    window, to the end of the mesh.
    """
    keep = mesh.within(*window)
    whole = bool(keep.all())
    here = mesh if whole else mesh.chosen(keep)

    def on_window(values: Floats) -> Signal:
        return Signal(here, values if whole else values[keep])

    blocking = next((curves for curves in outputs.values() if curves.kind.is_blockade), None)
    gate = None if blocking is None else on_window(blocking.values)
    found: list[Measured] = []
    for name, curves in outputs.items():
        curve, twin = on_window(curves.values), None
        if curves.kind.says_tone and curves.relative_to == DRUG_FREE:
            twin = Signal(here, np.ones_like(curve.values))
        elif curves.kind.says_tone and curves.twin is not None:
            twin = on_window(curves.twin)
        view = OutputView(
            curve=curve,
            doses=curves.doses,
            recorded=Signal(mesh, curves.values),
            twin=twin,
            blockade=gate,
            first=lambda curve=curve: curve.of_rows(first_of),  # type: ignore[misc] # of this output
        )
        found += [Measured(name, metric.name, *metric.read(view)) for metric in metrics_of(curves.kind)]
    return found


def read_metric(metric: Metric, recorded: Signal, window: tuple[float, float], doses: Floats) -> Floats:
    """A metric (rows,) of curves over a window (start, end), h; NaN where there is none.

    `doses` (dose,) are the times, h, that all rows have in common. For fits and predictions, which ask for one number.
    """
    recorded = recorded.cut_at(*window)
    mesh = recorded.mesh
    shared = np.broadcast_to(doses, (mesh.rows, len(doses)))
    values, reason = metric.read(OutputView(recorded.chosen(mesh.within(*window)), shared, recorded))
    return values if reason is None else np.where(reason == "", values, np.nan)
