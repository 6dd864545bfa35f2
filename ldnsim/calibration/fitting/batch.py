"""A scenario with many parameter vectors, solved in one call of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.dosing.events import schedules_of
from ldnsim.dosing.regimen import DAY
from ldnsim.engine import choose
from ldnsim.engine.events import Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.model.baselines import divisor
from ldnsim.model.system import System, compose, molar_mass
from ldnsim.simulation.people import TYPICAL, doses_of, parameters_of

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Dose
    from ldnsim.model.records import Output
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["Batch", "batch_of"]

RTOL = 1e-9  # relative tolerance: the curves are differenced


@dataclass(frozen=True)
class Batch:
    """A scenario of one account and a typical person, ready to be solved with many parameter vectors.

    `typical` (parameters,) in coherent units; `times` (times,), h; `outputs` in the order of the curves.
    """

    scenario: Scenario
    system: System
    typical: np.ndarray
    doses: dict[str, tuple[Dose, ...]]
    times: np.ndarray
    outputs: dict[str, Output]
    solver: choose.SolverName

    def curves(self, parameters: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """Solve all rows of `parameters` (rows, parameters), in coherent units.

        Returns the curves (rows, arms, times, outputs) in the outputs' units, NaN where a row cannot be solved, and per
        row the reason, "" where solved.
        """
        count, names = len(parameters), list(self.outputs)
        start, status, why = periodic_states(self.system, parameters, outputs=names, solver=self.solver)
        values = np.full((count, len(self.doses), len(self.times), len(names)), np.nan)
        solved = np.flatnonzero(status == Status.SOLVED)
        if not len(solved):
            return values, why
        rows, solve = parameters[solved], choose.solver(self.solver)
        arms = len(self.doses)
        at = np.tile(rows, (arms, 1)), np.tile(start[solved], (arms, 1))
        doses = [own for own in self.doses.values() for _ in solved]
        schedules = schedules_of(doses, self.scenario.model, self.system, at[0])
        solution = solve(self.system, *at, schedules, self.times, names, RTOL)
        found = solution.values.reshape(arms, len(solved), len(self.times), len(names)).swapaxes(0, 1)
        values[solved] = found / self._divisor(rows, start[solved])[:, None]
        for row, reason in zip(np.tile(solved, arms), solution.reason, strict=True):
            why[row] = why[row] or reason
        return values, why

    def _divisor(self, parameters: np.ndarray, start: np.ndarray) -> np.ndarray:
        """What the curves are divided by, (rows, times or 1, outputs): units, or the drug-free twin."""
        model, names = self.scenario.model, list(self.outputs)
        masses = [molar_mass(model, output.of) for output in self.outputs.values()]
        if not any(output.relative_to for output in self.outputs.values()):
            units = [
                divisor(output, mass, None, None) for output, mass in zip(self.outputs.values(), masses, strict=True)
            ]
            return np.array(units)[None, None, :]
        day = np.arange(0.0, DAY)
        clock = self.times % DAY if repeats_daily(self.system, tuple(names)) else self.times
        at, place = np.unique(np.concatenate([day, clock]), return_inverse=True)
        solve = choose.solver(self.solver)
        twin = solve(self.system, parameters, start, [()] * len(parameters), at, names, RTOL).values[:, place]
        unit = np.empty((len(parameters), len(self.times), len(names)))
        for index, (output, mass) in enumerate(zip(self.outputs.values(), masses, strict=True)):
            unit[:, :, index] = divisor(output, mass, twin[:, len(day) :, index], twin[:, : len(day), index])
        return unit


def batch_of(scenario: Scenario, resolved: Resolved, times: np.ndarray, solver: choose.SolverName) -> Batch:
    """The batch of a scenario with one account, sampled at `times` (h, ascending, from 0)."""
    setting = resolved.settings[0]
    system = compose(scenario.model, setting.parts)
    typical = parameters_of(scenario.model, system, setting, resolved, TYPICAL)[0]
    doses = {arm: doses_of(scenario, resolved, arm, TYPICAL)[0] for arm in resolved.arms}
    outputs = {name: output for name, output in scenario.model.outputs.items() if name in scenario.report}
    return Batch(scenario, system, typical, doses, times, outputs, solver)
