"""A scenario with many parameter vectors, solved in one call of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.dosing.events import schedules_of
from ldnsim.dosing.regimen import DAY
from ldnsim.engine import choose
from ldnsim.engine.events import Solution, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.pieces import no_pieces, windows_of
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.metrics.mesh import Mesh
from ldnsim.metrics.signal import Signal
from ldnsim.model.baselines import divisor
from ldnsim.model.system import System, compose, molar_mass
from ldnsim.simulation.people import TYPICAL, doses_of, parameters_of
from ldnsim.simulation.recording import Recorded, recorded, twin_windows

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Dose
    from ldnsim.model.records import Output
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["RTOL", "Batch", "BatchCurves", "batch_of"]

RTOL = 1e-9  # relative tolerance: the curves are differenced


class BatchCurves(NamedTuple):
    """Solutions of a batch: `values` (rows, arms, times, outputs) in the outputs' units, NaN where a row cannot be
    solved; `reason` per row, "" where solved; and the `recorded` curves over the spans asked for, arm by arm."""

    values: np.ndarray
    reason: list[str]
    recorded: Recorded

    def curve(self, arm: int, output: str) -> Signal:
        """The curve of one output in one arm, for all rows."""
        rows = len(self.reason)
        mesh, piece = self.recorded.mesh.gathered(np.arange(rows) + arm * rows)
        return Signal(mesh, self.recorded.values[output][piece])


@dataclass(frozen=True)
class Batch:
    """A scenario of one account and a typical person, ready to be solved with many parameter vectors.

    `typical` (parameters,) in coherent units; `times` (times,), h, of the values, and `spans` (start, end), h, of
    the recorded curves; `outputs` in the order of the values.
    """

    scenario: Scenario
    system: System
    typical: np.ndarray
    doses: dict[str, tuple[Dose, ...]]
    times: np.ndarray
    spans: tuple[tuple[float, float], ...]
    outputs: dict[str, Output]
    solver: choose.SolverName
    rtol: float

    def curves(self, parameters: np.ndarray) -> BatchCurves:
        """Solve all rows of `parameters` (rows, parameters), in coherent units."""
        count, names = len(parameters), list(self.outputs)
        start, status, why = periodic_states(self.system, parameters, outputs=names, solver=self.solver)
        values = np.full((count, len(self.doses), len(self.times), len(names)), np.nan)
        solved = np.flatnonzero(status == Status.SOLVED)
        arms = len(self.doses)
        if not len(solved):
            nothing = Solution(values, status, why, no_pieces(arms * count, len(names)))
            return BatchCurves(values, why, self._recorded(nothing, None, solved, count, repeats=True))
        rows, solve = parameters[solved], choose.solver(self.solver)
        at = np.tile(rows, (arms, 1)), np.tile(start[solved], (arms, 1))
        doses = [own for own in self.doses.values() for _ in solved]
        schedules = schedules_of(doses, self.scenario.model, self.system, at[0])
        windows = windows_of(
            np.broadcast_to(np.reshape(self.spans, (1, -1, 2)), (arms * len(solved), len(self.spans), 2))
        )
        done = solve(self.system, *at, schedules, self.times, names, self.rtol, windows=windows)
        repeats = repeats_daily(self.system, tuple(names))
        clock = self.times % DAY if repeats else self.times
        day = np.arange(0.0, DAY)
        with_day, place = np.unique(np.concatenate([day, clock, [DAY]]), return_inverse=True)
        twin, day_values, without = None, None, [None] * len(names)
        if any(output.relative_to for output in self.outputs.values()):
            bare = twin_windows(len(solved), float(self.times[-1]), repeats=repeats)
            twin = solve(self.system, rows, start[solved], [()] * len(solved), with_day, names, self.rtol, windows=bare)
            found = twin.values[:, place]
            day_values, without = found[:, : len(day)], list(np.moveaxis(found[:, len(day) : -1], -1, 0))
        for index, (name, output) in enumerate(self.outputs.items()):
            days = None if day_values is None else day_values[:, :, index]
            unit = np.asarray(divisor(output, self._masses[name], without[index], days))
            values[solved, :, :, index] = (
                done.values[:, :, index].reshape(arms, len(solved), -1) / (unit if unit.ndim == 0 else unit[None])
            ).swapaxes(0, 1)
        for row, reason in zip(np.tile(solved, arms), done.reason, strict=True):
            why[row] = why[row] or reason
        return BatchCurves(values, why, self._recorded(done, twin, solved, count, repeats=repeats, day=day_values))

    @cached_property
    def _masses(self) -> dict[str, float | None]:
        return {name: molar_mass(self.scenario.model, output.of) for name, output in self.outputs.items()}

    def _recorded(
        self,
        done: Solution,
        twin: Solution | None,
        solved: np.ndarray,
        count: int,
        *,
        repeats: bool,
        day: np.ndarray | None = None,
    ) -> Recorded:
        """The curves of all rows in all arms; none of rows that could not be solved."""
        arms = len(self.doses)
        who = np.tile(np.arange(len(solved)), arms)
        found = recorded(
            done, twin, who, done.status == Status.SOLVED, self.outputs, self._masses, day, repeats=repeats
        )
        first, last = np.zeros((2, arms, count), np.int64)
        first[:, solved], last[:, solved] = (getattr(found.mesh, end).reshape(arms, -1) for end in ("first", "last"))
        return found._replace(mesh=Mesh(first.reshape(-1), last.reshape(-1), found.mesh.start, found.mesh.end))


def batch_of(
    scenario: Scenario,
    resolved: Resolved,
    times: np.ndarray,
    spans: tuple[tuple[float, float], ...],
    solver: choose.SolverName,
    rtol: float,
) -> Batch:
    """The batch of a scenario's one account, at some times (h, ascending, from 0 to the end) and over spans of time."""
    setting = resolved.settings[0]
    system = compose(scenario.model, setting.parts)
    typical = parameters_of(scenario.model, system, setting, resolved, TYPICAL)[0]
    doses = {arm: doses_of(scenario, resolved, arm, TYPICAL)[0] for arm in resolved.arms}
    outputs = {name: output for name, output in scenario.model.outputs.items() if name in scenario.report}
    return Batch(scenario, system, typical, doses, times, spans, outputs, solver, rtol)
