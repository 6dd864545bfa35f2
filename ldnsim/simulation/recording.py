"""Curves as the solver recorded them, in the units of outputs and beside their drug-free twin: what metrics read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.dosing.regimen import DAY
from ldnsim.engine.pieces import NODE_COUNT, Windows, shared_windows
from ldnsim.metrics.mesh import Mesh
from ldnsim.metrics.signal import Signal
from ldnsim.model.baselines import DRUG_FREE, divisor
from ldnsim.model.output_kinds import kind_named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ldnsim.engine.events import Solution
    from ldnsim.model.records import Output

__all__ = ["Recorded", "has_twin", "recorded", "together", "twin_windows"]


class Recorded(NamedTuple):
    """Curves of rows as polynomials, over the window of metrics and, where an output is read past it, from the last
    dose on. `values` of each output (pieces, nodes) in its unit, and `twins` without drug of those that have one."""

    mesh: Mesh
    values: dict[str, np.ndarray]
    twins: dict[str, np.ndarray]

    def of(self, rows: np.ndarray) -> Recorded:
        """The curves of some rows (n,), in their order and as often as they are named."""
        mesh, piece = self.mesh.gathered(rows)
        return Recorded(mesh, *({name: found[piece] for name, found in part.items()} for part in self[1:]))


def has_twin(output: Output) -> bool:
    """Whether the output is also shown without drug; where it is relative to that it says nothing."""
    return kind_named(output.kind).has_twin and output.relative_to != DRUG_FREE


def twin_windows(people: int, end: float, *, repeats: bool) -> Windows:
    """What to record without drug: a day, where days repeat, else all up to the end of the run, h; never what hangs on
    other rows."""
    return shared_windows(people, [(0.0, DAY if repeats else end)])


def together(parts: list[Recorded]) -> Recorded:
    """The rows of several structures, one after the other."""
    if len(parts) == 1:
        return parts[0]
    counts = np.cumsum([0, *(len(part.mesh.start) for part in parts)])
    ends = [
        np.concatenate([getattr(part.mesh, name) + count for part, count in zip(parts, counts, strict=False)])
        for name in ("first", "last")
    ]
    times = [np.concatenate([getattr(part.mesh, name) for part in parts]) for name in ("start", "end")]
    curves = (
        {name: np.concatenate([getattr(part, kind)[name] for part in parts]) for name in getattr(parts[0], kind)}
        for kind in ("values", "twins")
    )
    return Recorded(Mesh(*ends, *times), *curves)


def recorded(
    arms: Solution,
    twin: Solution | None,
    who: np.ndarray,
    sound: np.ndarray,
    outputs: Mapping[str, Output],
    masses: Mapping[str, float | None],
    day: np.ndarray | None,
    *,
    repeats: bool,
) -> Recorded:
    """The curves of rows in the units of the outputs.

    Parameters
    ----------
    arms, twin : Solution
        Of the rows, and of people without drug, each with pieces; no twin where no output needs one.
    who, sound : numpy.ndarray
        (rows,): the person of each row in `twin`, and whether the row has a solution; the others get no pieces.
    outputs, masses : mapping
        What the solver was asked for, in order, and the molar masses that their units need.
    day : numpy.ndarray, optional
        (people, hours, outputs): a day without drug, for outputs that are relative to its mean.
    repeats : bool
        Whether the twin holds one day that is every day, or the time of the windows.
    """
    assert arms.pieces is not None
    pieces = arms.pieces
    mesh, piece = Mesh(pieces.first, pieces.last, pieces.start, pieces.end).gathered(np.arange(len(who)))
    keep = sound[mesh.row]
    mesh, piece = mesh.chosen(keep), piece[keep]
    place: Any = None
    values, twins = {}, {}
    for index, (name, output) in enumerate(outputs.items()):
        without = None
        if twin is not None and twin.pieces is not None and (has_twin(output) or output.relative_to == DRUG_FREE):
            bare = twin.pieces
            without_drug = Signal(Mesh(bare.first, bare.last, bare.start, bare.end), bare.values[index])
            if place is None:
                times = _on_day_one(mesh) if repeats else mesh.times()
                place = without_drug.mesh.located(np.repeat(who[mesh.row], times.shape[1]), times.reshape(-1))
            without = without_drug.valued(*place).reshape(len(mesh.start), NODE_COUNT)
        unit = divisor(output, masses[name], without, None if day is None else day[who, :, index])
        if output.relative_to not in (None, DRUG_FREE):
            unit = unit[mesh.row]
        values[name] = pieces.values[index, piece] / unit
        if without is not None and has_twin(output):
            twins[name] = without / unit
    return Recorded(mesh, values, twins)


def _on_day_one(mesh: Mesh) -> np.ndarray:
    """The time of day of each node (pieces, nodes), h; both midnights are there."""
    times = mesh.times() - DAY * np.floor(mesh.middle / DAY)[:, None]
    return np.where(times > DAY, times - DAY, np.where(times < 0, times + DAY, times))
