"""Scenario -> xarray.Dataset: the one road.

Accounts x arms x people become rows for the engine and come back as dimensions. Every run starts on the drug-free
periodic orbit and carries the drug-free twin of every person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.addresses import Setting, resolve
from ldnsim.beginning import begin_steady
from ldnsim.dosing import DAY
from ldnsim.engine import choose
from ldnsim.engine.events import Solution, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.errors import LdnsimError
from ldnsim.fields import hours
from ldnsim.people import doses_of, everyone, parameters_of
from ldnsim.provenance import shown_outputs
from ldnsim.results import Request, Run, dataset
from ldnsim.sampling import sample_times
from ldnsim.schedule import schedules_of
from ldnsim.system import System, composed, molar_mass
from ldnsim.units import declared

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.engine.events import Event
    from ldnsim.engine.steady import Steady
    from ldnsim.scenario import Scenario

__all__ = ["simulate"]


def simulate(
    scenario: Scenario,
    *,
    times: Sequence[float] | None = None,
    subjects: range | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
) -> xr.Dataset:
    """Every account and arm of the scenario, for each of its people.

    Returns a Dataset with dims (account, arm, [subject,] time): the reported outputs with their units, evidence tags
    and the reach of human data as attributes, the drug-free twin (`NAME_drug_free`) of endogenous outputs, the doses
    taken, a `status` and `reason` per person, and the provenance. `times` (h, ascending) replaces the usual sampling;
    `subjects` are those of the population who are wanted (from 1 on; None: all): they are the same people, to the bit,
    whoever else is simulated. `rtol` is the solver's tolerance, `solver` "native" or "reference" (slow).
    Raises LdnsimError for changes that name or move nothing, and for `times` or `subjects` that the run does not have.
    """
    resolved = resolve(scenario)
    subjects = everyone(resolved) if subjects is None else _known(subjects, everyone(resolved))
    people = len(subjects)
    doses = {arm: doses_of(scenario, resolved, arm, subjects) for arm in resolved.arms}
    at = sample_times(scenario, resolved) if times is None else _asked_for(times, hours(resolved.duration))
    shown = shown_outputs(scenario)
    request = Request(scenario, resolved, subjects, doses, at, shown, rtol, solver)
    shape = (len(resolved.settings), len(resolved.arms), people, len(at))
    values = {name: np.empty(shape) for name in shown}
    twins = {name: np.empty((shape[0], *shape[2:])) for name in shown}
    runs = []
    for account, setting in enumerate(resolved.settings):
        room = [{name: array[account] for name, array in arrays.items()} for arrays in (values, twins)]
        runs.append(_run(request, setting, *room))
    return dataset(request, runs, values, twins)


def _known(subjects: range, known: range) -> range:
    if not subjects or subjects.step != 1 or subjects.start < known.start or subjects.stop > known.stop:
        raise LdnsimError(f"Subjects {subjects} are not there: the population has 1 to {known[-1]}.")
    return subjects


def _asked_for(times: Sequence[float], duration: float) -> np.ndarray:
    at = np.asarray(times, float)
    if at.ndim != 1 or not at.size or not np.all(np.isfinite(at)) or not np.all(np.diff(at) > 0):
        raise LdnsimError("The sample times are no list of finite, ascending hours.")
    if at[0] < 0 or at[-1] > duration:
        raise LdnsimError(f"Sample times from {at[0]:g} to {at[-1]:g} h: the run goes from 0 to {duration:g} h.")
    return at


def _run(request: Request, setting: Setting, values: dict[str, np.ndarray], twins: dict[str, np.ndarray]) -> Run:
    """Solve one account into `values`, arrays (arms, people, times), and `twins` (people, times)."""
    model, resolved, times, shown = request.scenario.model, request.resolved, request.times, request.shown
    system = composed(model, setting.parts)
    parameters = parameters_of(model, system, setting, resolved, request.subjects)
    names = list(shown)
    start, no_rhythm, why = periodic_states(system, parameters, outputs=names, solver=request.solver)
    healthy = no_rhythm == Status.SOLVED
    solve = choose.solver(request.solver)

    def solved(who: np.ndarray, start: np.ndarray, schedules: list[Any], at: np.ndarray) -> Solution:
        """Solve rows, each of a person `who`, from `start` (rows, states), where that has a rhythm to start from; the
        others keep their reason.
        """
        if np.all(healthy):
            return solve(system, parameters[who], start, schedules, at, names, request.rtol)
        values = np.full((len(who), len(at), len(names)), np.nan)
        status, reason = no_rhythm[who], [why[person] for person in who]
        rows = np.flatnonzero(healthy[who])
        if len(rows):
            found = solve(
                system,
                parameters[who[rows]],
                start[rows],
                [schedules[row] for row in rows],
                at,
                names,
                request.rtol,
            )
            values[rows], status[rows] = found.values, found.status
            for row, text in zip(rows, found.reason, strict=True):
                reason[row] = text
        return Solution(values, status, reason)

    day = np.arange(0.0, DAY)
    clock = (
        times % DAY if repeats_daily(system, tuple(names)) else times
    )  # on the orbit every day is the first one again
    with_day, place = np.unique(np.concatenate([day, clock]), return_inverse=True)
    rows, people = np.arange(len(parameters)), len(parameters)
    twin = solved(rows, start, [()] * people, with_day)
    daily_mean = twin.values[:, place[: len(day)]].mean(axis=1)  # equal steps: exact for a smooth rhythm
    begun = _begun(request, system, parameters, start)
    # one solve for all arms, from midnight of day 1 on whatever is looked at
    starts, schedules = np.concatenate([state for state, _, _ in begun]), [one for _, them, _ in begun for one in them]
    arms = solved(
        np.tile(rows, len(resolved.arms)), starts, schedules, times if times[0] <= 0 else np.append(0.0, times)
    )
    settled = [steady for _, _, steady in begun if steady is not None]
    lost = [why for steady in settled for why in steady.reason] or [""] * len(arms.reason)
    status = np.concatenate([steady.status for steady in settled]) if settled else np.zeros_like(arms.status)
    status = np.where(status == Status.SOLVED, arms.status, status).reshape(-1, people)
    status = np.where(status == Status.SOLVED, twin.status, status).astype(np.int8)
    reason = np.array(
        [b or a or t for b, a, t in zip(lost, arms.reason, twin.reason * len(resolved.arms), strict=True)], dtype=object
    ).reshape(status.shape)
    for index, (name, output) in enumerate(shown.items()):
        without = twin.values[:, place[len(day) :], index]
        unit: Any = declared(output.unit, molar_mass(model, output.of)) if output.relative_to is None else without
        if output.relative_to == "drug_free_daily_mean":
            unit = daily_mean[:, index, None]
        found = arms.values[:, -len(times) :, index]
        np.divide(found.reshape(values[name].shape), unit, out=values[name])
        np.divide(without, unit, out=twins[name])
        values[name][status != Status.SOLVED] = np.nan
    return Run(status, reason, system, settled)


def _begun(
    request: Request, system: System, parameters: np.ndarray, start: np.ndarray
) -> list[tuple[np.ndarray, list[tuple[Event, ...]], Steady | None]]:
    """Of each arm: everyone's state at 0 h, the schedules from there, and what became of the steady state."""
    model, resolved = request.scenario.model, request.resolved
    if request.scenario.start == "drug_free":
        return [(start, schedules_of(request.doses[arm], model, system, parameters), None) for arm in resolved.arms]
    found: list[tuple[np.ndarray, list[tuple[Event, ...]], Steady | None]] = []
    for name, arm in resolved.arms.items():
        day, doses = request.scenario.start_day, request.doses[name]
        begun = begin_steady(
            arm, doses, day, model, system, parameters, outputs=list(request.shown), solver=request.solver
        )
        found.append((begun.steady.state, begun.schedules, begun.steady))
    return found
