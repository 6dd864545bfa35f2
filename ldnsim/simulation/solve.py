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
from ldnsim.engine.pieces import Windows, no_pieces, windows_of
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.engine.schedules import Schedules, joined, pack
from ldnsim.engine.steady import Steady, steady_states
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.metrics.nca import latest_dose
from ldnsim.model.baselines import divisor
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.system import System, composed, molar_mass
from ldnsim.simulation.dose_variables import dose_times
from ldnsim.simulation.people import occasions_of, parameters_of
from ldnsim.simulation.provenance import beyond_mechanism
from ldnsim.simulation.recording import Recorded, recorded, together, twin_windows
from ldnsim.simulation.steady_start import Beginning, beginning_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from ldnsim.dosing.events import Occasions
    from ldnsim.model.records import Model, Output
    from ldnsim.scenario.changes import Resolved, Setting
    from ldnsim.scenario.scenario import Scenario

__all__ = ["Case", "Courses", "RunSettings", "inputs_of", "silent_arms", "solve"]


@dataclass(frozen=True)
class Case:
    """A scenario with its changes applied, and the doses that each of the subjects takes, by arm."""

    resolved: Resolved
    doses: dict[str, list[tuple[Dose, ...]]]


@dataclass(frozen=True)
class RunSettings:
    """What all cases have in common: the scenario, who takes part, when (h, ascending) which outputs are looked at,
    over which window (start, end), h, metrics are to be read, if any, and how cases are solved (`threads`: at most so
    many; None: one per core)."""

    scenario: Scenario
    subjects: range
    times: np.ndarray
    shown: dict[str, Output]
    rtol: float
    solver: choose.SolverName
    threads: int | None = None
    window: tuple[float, float] | None = None


class Courses(NamedTuple):
    """`values` of each output (cases, accounts, arms, people, times) in its unit, `twins` without drug (cases,
    accounts, people, times), `status` and `reason` (cases, accounts, arms, people). `residuals`: (case, account) ->
    what a further cycle would change (arms, people, states), where runs start in their steady state. `recorded` has a
    row for each person in each arm, in the order of `status`; None without a window."""

    values: dict[str, np.ndarray]
    twins: dict[str, np.ndarray]
    status: np.ndarray
    reason: np.ndarray
    residuals: dict[tuple[int, int], np.ndarray]
    recorded: Recorded | None = None


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
    settings = cases[0].resolved.settings
    inputs = {
        name: tuple(inputs_of(name, output, look.scenario.model, settings)) for name, output in look.shown.items()
    }
    for at, case in enumerate(cases):
        for account, setting in enumerate(case.resolved.settings):
            system = composed(look.scenario.model, setting.parts)
            structure = structures.setdefault(id(system), _Structure(system, inputs))
            structure.add(look, case, setting, (at, account))
    rows, parts, count = np.zeros(shape, np.int64), [], 0
    for structure in structures.values():
        part = _solve_structure(look, structure, found)
        if part is not None:
            for at, account, _, blocks in structure.places:
                rows[at, account] = count + (np.array(blocks)[:, None] * shape[3] + np.arange(shape[3]))
            count += part.mesh.rows
            parts.append(part)
    silent = np.zeros(shape, bool)
    for at, case in enumerate(cases):
        silent[at, :, silent_arms(look.scenario, case.resolved)] = True
    lacking = [name for name, output in look.shown.items() if kind_named(output.kind).needs_mechanism]
    for name in lacking:
        found.values[name][silent] = np.nan
    if not parts:
        return found
    curves = together(parts).of(rows.reshape(-1))
    for name in lacking:
        curves.values[name][silent.reshape(-1)[curves.mesh.row]] = np.nan
    return found._replace(recorded=curves)


def inputs_of(name: str, output: Output, model: Model, settings: Sequence[Setting]) -> list[str]:
    """The inputs whose doses an output is about: for a concentration those that reach it, else those of its drug."""
    if not kind_named(output.kind).needs_mechanism:
        reached = frozenset().union(*(composed(model, setting.parts).rests_on[name] for setting in settings))
        return [way for way, product in model.inputs.items() if not reached.isdisjoint(product.to)]
    return [way for way, product in model.inputs.items() if product.drug == output.of] if output.of else []


def silent_arms(scenario: Scenario, resolved: Resolved) -> np.ndarray:
    """Places of the arms of which the model has nothing to say beyond concentrations."""
    lacking = beyond_mechanism(scenario, resolved)
    return np.flatnonzero([arm in lacking for arm in resolved.arms])


class _Structure:
    """What one system of equations is to be solved for. Bodies: people with their parameters; blocks: bodies with what
    they take in an arm. `places` are (case, account, body, the block of each arm)."""

    def __init__(self, system: System, inputs: Mapping[str, tuple[str, ...]]) -> None:
        self.system, self.inputs = system, inputs
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


def _solve_structure(look: RunSettings, structure: _Structure, found: Courses) -> Recorded | None:
    """Orbit, twin and arms of everybody in a structure, into their places in `found`; and the curves of its rows."""
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
    windows = _windows(look, structure, float(times[-1]))
    bare = None if windows is None else twin_windows(len(parameters), float(times[-1]), repeats=repeats)
    twin = rows.solved(np.arange(len(parameters)), pack([()] * len(parameters)), with_day, windows=bare)
    who = np.concatenate([np.arange(people) + body * people for body, _, _ in structure.blocks])
    schedules = structure.schedules(look.scenario.model)
    steady = _steady(look, structure, parameters[who])
    # from midnight of day 1 on, whatever is looked at
    arms = rows.solved(who, schedules, times if times[0] <= 0 else np.append(0.0, times), steady, windows)
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
    if windows is None:
        return None
    sound = both.status.reshape(-1) == Status.SOLVED
    masses = {name: molar_mass(look.scenario.model, output.of) for name, output in look.shown.items()}
    without = twin.values[:, place[: len(day)]]
    return recorded(arms, twin, who, sound, look.shown, masses, without, repeats=repeats)


def _windows(look: RunSettings, structure: _Structure, end: float) -> Windows | None:
    """What to record of each row (people of a block): the window of metrics, and for outputs that are read past it all
    from the last of the doses that they are about."""
    if look.window is None:
        return None
    people = len(look.subjects)
    spans = [np.broadcast_to(look.window, (len(structure.blocks) * people, 2))]
    past = {structure.inputs[name] for name, output in look.shown.items() if kind_named(output.kind).reads_past_window}
    for inputs in sorted(past):
        last = np.concatenate([_last_doses(doses, inputs) for _, doses, _ in structure.blocks])
        spans.append(np.stack([last, np.where(np.isnan(last), np.nan, end)], axis=-1))
    return windows_of(np.stack(spans, axis=1))


def _last_doses(people: list[tuple[Dose, ...]], inputs: tuple[str, ...]) -> np.ndarray:
    """When each person takes the last dose above zero of some inputs, h; NaN for who takes none."""
    times = dose_times(people, inputs)
    return latest_dose(times, np.full(len(times), np.inf))


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

    def solved(
        self,
        who: np.ndarray,
        schedules: Schedules,
        at: np.ndarray,
        steady: Steady | None = None,
        windows: Windows | None = None,
    ) -> Solution:
        """Solve rows, each of a person `who`, from the drug-free orbit or their `steady` state; Solution arrays
        (rows, ...)."""
        start, status, reason = self._start[who], self._status[who], [self._reason[person] for person in who]
        if steady is not None:
            start, status = steady.state, steady.status.astype(np.int8)
            reason = list(steady.reason)
        rows = np.flatnonzero(status == Status.SOLVED)
        if len(rows) == len(who):
            return self._solve(self._system, self._parameters[who], start, schedules, at, *self._given, windows=windows)
        values = np.full((len(self._given[0]), len(who), len(at)), np.nan).transpose(1, 2, 0)
        pieces = None if windows is None else no_pieces(len(who), len(self._given[0]))
        if len(rows):
            some, own = schedules.of(rows), None if windows is None else windows.some(rows)
            done = self._solve(
                self._system, self._parameters[who[rows]], start[rows], some, at, *self._given, windows=own
            )
            values[rows], status[rows] = done.values, done.status
            if pieces is not None and done.pieces is not None:
                pieces = done.pieces.spread(rows, len(who))
            for row, text in zip(rows, done.reason, strict=True):
                reason[row] = text
        return Solution(values, status, reason, pieces)


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
