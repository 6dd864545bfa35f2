"""Many sets of parameters through one scenario in one call of the engine: the rows differ in parameters only."""

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

__all__ = ["Lanes", "lanes_of"]

RTOL = 1e-9  # differences of neighbours are taken


@dataclass(frozen=True)
class Lanes:
    """A scenario of one account and typical person, ready for many sets of parameters.

    `typical` (parameters,) coherent; `times` (times,), h; `outputs` in the order of the curves.
    """

    scenario: Scenario
    system: System
    typical: np.ndarray
    doses: dict[str, tuple[Dose, ...]]
    times: np.ndarray
    outputs: dict[str, Output]
    solver: choose.SolverName

    def curves(self, parameters: np.ndarray) -> tuple[np.ndarray, list[str]]:
        """parameters (lanes, parameters), coherent -> curves (lanes, arms, times, outputs) in the outputs' units, NaN
        where a lane cannot be solved, and why not."""
        lanes, names = len(parameters), list(self.outputs)
        start, status, why = periodic_states(self.system, parameters, outputs=names, solver=self.solver)
        values = np.full((lanes, len(self.doses), len(self.times), len(names)), np.nan)
        sound = np.flatnonzero(status == Status.SOLVED)
        if not len(sound):
            return values, why
        rows, solve = parameters[sound], choose.solver(self.solver)
        arms = len(self.doses)
        at = np.tile(rows, (arms, 1)), np.tile(start[sound], (arms, 1))
        taken = [doses for doses in self.doses.values() for _ in sound]
        schedules = schedules_of(taken, self.scenario.model, self.system, at[0])
        done = solve(self.system, *at, schedules, self.times, names, RTOL)
        found = done.values.reshape(arms, len(sound), len(self.times), len(names)).swapaxes(0, 1)
        values[sound] = found / self._unit(rows, start[sound])[:, None]
        for row, reason in zip(np.tile(sound, arms), done.reason, strict=True):
            why[row] = why[row] or reason
        return values, why

    def _unit(self, parameters: np.ndarray, start: np.ndarray) -> np.ndarray:
        """What the curves are divided by, (lanes, times or 1, outputs): units, or the drug-free twin."""
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


def lanes_of(scenario: Scenario, resolved: Resolved, times: np.ndarray, solver: choose.SolverName) -> Lanes:
    """The lanes of a scenario's one account at the sample times (h, ascending, from 0 on)."""
    setting = resolved.settings[0]
    system = compose(scenario.model, setting.parts)
    typical = parameters_of(scenario.model, system, setting, resolved, TYPICAL)[0]
    doses = {arm: doses_of(scenario, resolved, arm, TYPICAL)[0] for arm in resolved.arms}
    outputs = {name: output for name, output in scenario.model.outputs.items() if name in scenario.report}
    return Lanes(scenario, system, typical, doses, times, outputs, solver)
