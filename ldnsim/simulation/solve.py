"""Cases -> arrays: the one way from what is asked to the solver and back, for a single run as for the cells of a sweep.

Cases x accounts x arms x people become rows for the engine, one call for each structure of equations. What several of
them share is solved once: the drug-free orbit and twin of people whose parameters are the same, the arms of people who
also take the same doses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.dosing.events import Occasions, schedules_of
from ldnsim.dosing.regimen import DAY, Arm, Dose
from ldnsim.engine import choose
from ldnsim.engine.cycles import Cycles
from ldnsim.engine.events import Solution, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.engine.schedules import Schedules, joined, pack
from ldnsim.engine.steady import Steady, steady_states
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.model.baselines import divisor
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.system import System, composed, molar_mass
from ldnsim.simulation.people import occasions_of, parameters_of
from ldnsim.simulation.provenance import beyond_mechanism
from ldnsim.simulation.steady_start import Beginning, beginning_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from ldnsim.dosing.events import Occasions
    from ldnsim.model.records import Model, Output
    from ldnsim.scenario.changes import Resolved, Setting
    from ldnsim.scenario.scenario import Scenario

__all__ = ["Case", "Courses", "RunSettings", "silent_arms", "solve"]


@dataclass(frozen=True)
class Case:
    """A scenario with its changes applied, and the doses that each of the subjects takes, by arm."""

    resolved: Resolved
    doses: dict[str, list[tuple[Dose, ...]]]


@dataclass(frozen=True)
class RunSettings:
    """What all cases have in common: the scenario, who takes part, when (h, ascending) which outputs are looked at,
    and how they are solved (`threads`: at most so many; None: one per core)."""

    scenario: Scenario
    subjects: range
    times: np.ndarray
    shown: dict[str, Output]
    rtol: float
    solver: choose.SolverName
    threads: int | None = None


class Courses(NamedTuple):
    """`values` of each output (cases, accounts, arms, people, times) in its unit, `twins` without drug (cases,
    accounts, people, times), `status` and `reason` (cases, accounts, arms, people). `residuals`: (case, account) ->
    what a further cycle would change (arms, people, states), where runs start in their steady state."""

    values: dict[str, np.ndarray]
    twins: dict[str, np.ndarray]
    status: np.ndarray
    reason: np.ndarray
    residuals: dict[tuple[int, int], np.ndarray]


def solve(look: RunSettings, cases: Sequence[Case]) -> Courses:
    """Every account and arm of every case. A row has the same bits in whatever company it is solved."""
    accounts, arms = len(cases[0].resolved.settings), len(cases[0].resolved.arms)
    shape = (len(cases), accounts, arms, len(look.subjects))
    size = len(look.times)
    found = Courses(
        {name: np.empty((*shape, size)) for name in look.shown},
        {name: np.empty((*shape[:2], shape[3], size)) for name in look.shown},
        np.zeros(shape, np.int8),
        np.full(shape, "", object),
        {},
    )
    structures: dict[int, _Structure] = {}
    for at, case in enumerate(cases):
        for account, setting in enumerate(case.resolved.settings):
            system = composed(look.scenario.model, setting.parts)
            structure = structures.setdefault(id(system), _Structure(system))
            structure.add(look, case, setting, (at, account))
    for structure in structures.values():
        _solve_structure(look, structure, found)
    for at, case in enumerate(cases):
        silent = silent_arms(look.scenario, case.resolved)
        for name, output in look.shown.items():
            if kind_named(output.kind).needs_mechanism:
                found.values[name][at, :, silent] = np.nan
    return found


def silent_arms(scenario: Scenario, resolved: Resolved) -> np.ndarray:
    """Places of the arms of which the model has nothing to say beyond concentrations."""
    lacking = beyond_mechanism(scenario, resolved)
    return np.flatnonzero([arm in lacking for arm in resolved.arms])


class _Structure:
    """What one system of equations is to be solved for. Bodies: people with their parameters; blocks: bodies with what
    they take in an arm. `places` are (case, account, body, the block of each arm)."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.parameters: list[np.ndarray] = []
        self.blocks: list[tuple[int, list[tuple[Dose, ...]], Occasions | None]] = []
        self.beginnings: list[Beginning] = []  # of each block, where runs start in their steady state
        self.places: list[tuple[int, int, int, list[int]]] = []
        self._bodies: dict[Hashable, int] = {}
        self._blocks: dict[Hashable, int] = {}

    def add(self, look: RunSettings, case: Case, setting: Setting, place: tuple[int, int]) -> None:
        """One account of one case; what was there before is not solved again."""
        model, resolved = look.scenario.model, case.resolved
        key = (tuple(map(id, setting.parts.values())), tuple(setting.values.items()), repr(resolved.population))
        body = self._bodies.setdefault(key, len(self.parameters))
        if body == len(self.parameters):
            self.parameters.append(parameters_of(model, self.system, setting, resolved, look.subjects))
        blocks = []
        for name, doses in case.doses.items():
            block = self._blocks.setdefault((body, id(doses)), len(self.blocks))
            if block == len(self.blocks):
                own = self.parameters[body]
                occasions = occasions_of(self.system, setting, resolved, look.subjects, own, doses)
                self.blocks.append((body, doses, occasions))
                if look.scenario.start != "drug_free":
                    self.begin(look, resolved.arms[name], body, doses, occasions)
            blocks.append(block)
        self.places.append((*place, body, blocks))

    def begin(
        self, look: RunSettings, arm: Arm, body: int, doses: list[tuple[Dose, ...]], occasions: Occasions | None
    ) -> None:
        """A block that starts in the steady state of its arm."""
        if occasions is not None:
            message = "Parameters that differ from one occasion to the next have no steady state to start in."
            raise LdnsimError(Fault(message, expected="no `occasion` in the population, or start: drug_free"))
        scenario, own = look.scenario, self.parameters[body]
        self.beginnings.append(beginning_of(arm, doses, scenario.start_day, scenario.model, self.system, own))

    def schedules(self, model: Model) -> Schedules:
        """The events of all blocks, one after the other; made together wherever nobody has occasions of their own."""
        if self.beginnings:
            return joined([beginning.run for beginning in self.beginnings])
        if all(occasions is None for _, _, occasions in self.blocks):
            doses = [taken for _, people, _ in self.blocks for taken in people]
            rows = np.concatenate([self.parameters[body] for body, _, _ in self.blocks])
            return schedules_of(doses, model, self.system, rows)
        return joined(
            [
                schedules_of(doses, model, self.system, self.parameters[body], occasions)
                for body, doses, occasions in self.blocks
            ]
        )


def _solve_structure(look: RunSettings, structure: _Structure, found: Courses) -> None:
    """Orbit, twin and arms of everybody in a structure, into their places in `found`."""
    system, times, people, names = structure.system, look.times, len(look.subjects), list(look.shown)
    parameters = np.concatenate(structure.parameters)
    start, no_rhythm, why = periodic_states(system, parameters, outputs=names, solver=look.solver, threads=look.threads)
    rows = _RhythmRows(look, system, parameters, start, no_rhythm, why)
    day = np.arange(0.0, DAY)
    # On the orbit every day is the first one again. The last time is always the same: where a solver means to stop
    # moves the bits of what comes shortly before.
    repeats = repeats_daily(system, tuple(names))
    clock = times % DAY if repeats else times
    with_day, place = np.unique(np.concatenate([day, clock, [DAY]]), return_inverse=True)
    twin = rows.solved(np.arange(len(parameters)), pack([()] * len(parameters)), with_day)
    who = np.concatenate([np.arange(people) + body * people for body, _, _ in structure.blocks])
    schedules = structure.schedules(look.scenario.model)
    steady = _steady(look, structure, parameters[who])
    # from midnight of day 1 on, whatever is looked at
    arms = rows.solved(who, schedules, times if times[0] <= 0 else np.append(0.0, times), steady)
    both = _Both(arms, twin, who, people)
    places = np.array([place[:3] for place in structure.places])
    blocks = np.array([place[3] for place in structure.places])
    if steady is not None:
        residuals = steady.residual.reshape(-1, people, len(system.states))
        found.residuals.update({(case, account): residuals[own] for case, account, _, own in structure.places})
    for account in np.unique(places[:, 1]).tolist():
        mine = places[:, 1] == account
        cases, bodies, mine_blocks = _stretch(places[mine, 0]), places[mine, 2], blocks[mine]
        found.status[cases, account], found.reason[cases, account] = both.status[mine_blocks], both.reason[mine_blocks]
        for index, (name, output) in enumerate(look.shown.items()):
            without = _by(twin.values[:, place[len(day) : -1], index], people, bodies)
            day_values = _by(twin.values[:, place[: len(day)], index], people, bodies)
            unit = divisor(output, molar_mass(look.scenario.model, output.of), without, day_values)
            if np.ndim(unit):
                unit = unit[:, None]
            values = _by(arms.values[:, -len(times) :, index], people, mine_blocks.reshape(-1))
            shape = (*mine_blocks.shape, people, len(times))
            _divide(values.reshape(shape), unit, found.values[name], cases, account)
            _divide(without, unit if np.ndim(unit) == 0 else unit[:, 0], found.twins[name], cases, account)
            if both.any_failed:
                found.values[name][cases, account][both.status[mine_blocks] != Status.SOLVED] = np.nan


def _steady(look: RunSettings, structure: _Structure, parameters: np.ndarray) -> Steady | None:
    """The steady state of each row (people of a block), where runs start there."""
    if not structure.beginnings:
        return None
    people = len(look.subjects)
    schedules = joined([beginning.cycle for beginning in structure.beginnings])
    periods = np.repeat([beginning.period for beginning in structure.beginnings], people)
    cycles = Cycles(parameters, schedules, np.zeros(len(parameters)), periods)
    return steady_states(structure.system, cycles, outputs=list(look.shown), solver=look.solver, threads=look.threads)


class _RhythmRows:
    """Rows of people who have a rhythm to start from; the others keep their reason."""

    def __init__(
        self,
        look: RunSettings,
        system: System,
        parameters: np.ndarray,
        start: np.ndarray,
        status: np.ndarray,
        reason: list[str],
    ) -> None:
        self._parameters, self._start, self._status, self._reason = parameters, start, status, reason
        self._given = (list(look.shown), look.rtol)
        self._system = system
        self._solve = choose.solver(look.solver, look.threads)

    def solved(self, who: np.ndarray, schedules: Schedules, at: np.ndarray, steady: Steady | None = None) -> Solution:
        """Solve rows, each of a person `who`, from the drug-free orbit or their `steady` state; Solution arrays
        (rows, ...)."""
        start, status, reason = self._start[who], self._status[who], [self._reason[person] for person in who]
        if steady is not None:
            start, status = steady.state, steady.status.astype(np.int8)
            reason = list(steady.reason)
        rows = np.flatnonzero(status == Status.SOLVED)
        if len(rows) == len(who):
            return self._solve(self._system, self._parameters[who], start, schedules, at, *self._given)
        values = np.full((len(self._given[0]), len(who), len(at)), np.nan).transpose(1, 2, 0)
        if len(rows):
            some = schedules.of(rows)
            done = self._solve(self._system, self._parameters[who[rows]], start[rows], some, at, *self._given)
            values[rows], status[rows] = done.values, done.status
            for row, text in zip(rows, done.reason, strict=True):
                reason[row] = text
        return Solution(values, status, reason)


class _Both:
    """What became of blocks of people, arrays (blocks, people): who has no twin has no result either."""

    def __init__(self, arms: Solution, twin: Solution, who: np.ndarray, people: int) -> None:
        twin_status = twin.status[who]
        status = np.where(arms.status == Status.SOLVED, twin_status, arms.status).astype(np.int8)
        reason = np.full(len(who), "", object)
        for row in np.flatnonzero(status).tolist():
            reason[row] = arms.reason[row] or twin.reason[who[row]]
        self.any_failed = bool(status.any())
        self.status, self.reason = status.reshape(-1, people), reason.reshape(-1, people)


def _by(rows: np.ndarray, people: int, blocks: np.ndarray) -> np.ndarray:
    """Blocks of people from rows (blocks*people, ...), without a copy where they stand one after the other."""
    of_blocks = rows.reshape(-1, people, *rows.shape[1:])
    return of_blocks[_stretch(blocks)]


def _stretch(numbers: np.ndarray) -> slice | np.ndarray:
    """Ascending neighbours as a slice, anything else as it is."""
    first = int(numbers[0])
    return slice(first, first + len(numbers)) if np.all(np.diff(numbers) == 1) else numbers


def _divide(values: np.ndarray, unit: Any, into: np.ndarray, cases: slice | np.ndarray, account: int) -> None:
    if isinstance(cases, slice):
        np.divide(values, unit, out=into[cases, account])
    else:
        into[cases, account] = values / unit
