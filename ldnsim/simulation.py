"""Scenario -> xarray.Dataset: the one road.

Accounts x arms x people become rows for the engine and come back as dimensions. Every run starts on the drug-free
periodic orbit and carries the drug-free twin of every person.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.addresses import Resolved, Setting, resolve
from ldnsim.dosing import Dose, given_doses, planned_doses
from ldnsim.engine import choose
from ldnsim.engine.events import Solution, Status
from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.fields import hours
from ldnsim.model import weakest
from ldnsim.population import log_normal_factors
from ldnsim.schedule import schedules_of
from ldnsim.system import System, compose, molar_mass
from ldnsim.units import coherent, declared

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.model import Model, Output, Part
    from ldnsim.scenario import Scenario

__all__ = ["sample_times", "simulate"]

DAY = 24.0
AFTER_DOSE = 6.0  # hours of close sampling
CLOSE = 5 / 60
DISCLAIMER = (
    "For research and teaching. Not dose advice, not a prediction for any person, and no guide to restarting an opioid."
)


@dataclass(frozen=True)
class _Request:
    """What is to be simulated: the scenario, its changes applied, the doses of each arm's people, sample times (h)."""

    scenario: Scenario
    resolved: Resolved
    doses: dict[str, list[tuple[Dose, ...]]]
    times: np.ndarray
    shown: dict[str, Output]
    rtol: float
    solver: choose.SolverName


@dataclass(frozen=True)
class _Run:
    """What became of one account's people: arrays (arms, people)."""

    status: np.ndarray
    reason: np.ndarray
    system: System


def simulate(
    scenario: Scenario,
    *,
    times: Sequence[float] | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
) -> xr.Dataset:
    """Every account and arm of the scenario, for each of its people.

    Returns a Dataset with dims (account, arm, [subject,] time): the reported outputs with their units, evidence tags
    and the reach of human data as attributes, the drug-free twin (`NAME_drug_free`) of endogenous outputs, the doses
    taken, a `status` and `reason` per person, and the provenance. `times` (h, ascending) replaces the usual sampling;
    `rtol` is the solver's tolerance, `solver` "native" or "reference" (slow).
    Raises LdnsimError for changes that name or move nothing.
    """
    resolved = resolve(scenario)
    people = resolved.population.size if resolved.population else 1
    doses = {arm: _doses(scenario, resolved, arm, people) for arm in resolved.arms}
    at = sample_times(scenario, resolved) if times is None else np.asarray(times, float)
    shown = _shown_outputs(scenario)
    request = _Request(scenario, resolved, doses, at, shown, rtol, solver)
    shape = (len(resolved.settings), len(resolved.arms), people, len(at))
    values = {name: np.empty(shape) for name in shown}
    twins = {name: np.empty((shape[0], *shape[2:])) for name in shown}
    runs = []
    for account, setting in enumerate(resolved.settings):
        room = [{name: array[account] for name, array in arrays.items()} for arrays in (values, twins)]
        runs.append(_run(request, setting, *room))
    return _dataset(request, runs, values, twins)


def sample_times(scenario: Scenario, resolved: Resolved) -> np.ndarray:
    """Hourly, every 5 min on the last day and for 6 h after the first and last dose of each arm, both sides of each of
    these doses; or every `sample` of the scenario. Hours, ascending."""
    duration = hours(resolved.duration)
    if scenario.sample is not None:
        step = hours(scenario.sample)
        return np.append(np.arange(0.0, duration - 1e-9 * step, step), duration)
    pieces: list[np.ndarray] = [np.arange(0.0, duration, 1.0), np.array([duration])]
    last_day = max(0.0, (np.floor(duration / DAY) - 1) * DAY)
    pieces.append(np.arange(round(last_day * 12), round(min(duration, last_day + DAY) * 12) + 1) / 12)
    for arm in resolved.arms.values():
        planned = planned_doses(arm, duration, scenario.start_day)
        for dose in planned[:1] + planned[-1:]:
            close = dose.time + np.arange(round(AFTER_DOSE / CLOSE) + 1) * CLOSE
            pieces += [close, np.array([np.nextafter(dose.time, np.inf)])]
    times: np.ndarray = np.unique(np.concatenate(pieces))
    # 5-minute marks counted from different doses may differ in their last bits: one of each is enough
    keep = np.append(True, (np.diff(times) > 1e-6) | (times[1:] == np.nextafter(times[:-1], np.inf)))
    return times[keep & (times >= 0) & (times <= duration)]


def _doses(scenario: Scenario, resolved: Resolved, arm: str, people: int) -> list[tuple[Dose, ...]]:
    """The doses of each person of an arm. The typical person takes part in the draws as subject 1."""
    seed = resolved.population.seed if resolved.population else 1
    duration = hours(resolved.duration)
    drawn = any(line.miss or line.jitter or line.potency for line in resolved.arms[arm].regimen)
    subjects = range(1, people + 1) if drawn else [1]
    taken = [given_doses(resolved.arms[arm], duration, scenario.start_day, seed, subject) for subject in subjects]
    return taken if drawn else taken * people  # one tuple for all: what is made of it is made once


def _shown_outputs(scenario: Scenario) -> dict[str, Output]:
    """What is reported, and always what says whether receptors are blocked."""
    outputs = scenario.model.outputs
    wanted = scenario.report or tuple(outputs)
    return {name: output for name, output in outputs.items() if name in wanted or output.kind == "blockade"}


def _parameters(model: Model, system: System, setting: Setting, resolved: Resolved) -> np.ndarray:
    """Coherent parameter values (people, parameters)."""
    records = setting.parameters
    typical = {name: coherent(setting.values[name], molar_mass(model, records[name].of)) for name in system.parameters}
    if resolved.population is None:
        return np.array([[typical[name] for name in system.parameters]])
    columns = []
    for name in system.parameters:
        cv = records[name].iiv_cv
        factors = (
            log_normal_factors(resolved.population, name, coherent(cv)) if cv else np.ones(resolved.population.size)
        )
        columns.append(typical[name] * factors)
    return np.column_stack(columns)


_systems: dict[
    tuple[int, ...], tuple[Model, dict[str, Part], System]
] = {}  # the records are held, so that ids stay theirs
MOST_SYSTEMS = 32


def _composed(model: Model, parts: dict[str, Part]) -> System:
    """`compose`, remembered for records that are the same objects: a slider changes values, not equations."""
    key = (id(model), *map(id, parts.values()))
    if key not in _systems:
        while len(_systems) >= MOST_SYSTEMS:
            del _systems[next(iter(_systems))]
        _systems[key] = model, parts, compose(model, parts)
    return _systems[key][2]


def _run(request: _Request, setting: Setting, values: dict[str, np.ndarray], twins: dict[str, np.ndarray]) -> _Run:
    """Solve one account into `values`, arrays (arms, people, times), and `twins` (people, times)."""
    model, resolved, times, shown = request.scenario.model, request.resolved, request.times, request.shown
    system = _composed(model, setting.parts)
    parameters = _parameters(model, system, setting, resolved)
    names = list(shown)
    start, no_rhythm, why = periodic_states(system, parameters, outputs=names, solver=request.solver)
    healthy = no_rhythm == Status.SOLVED
    solve = choose.solver(request.solver)

    def solved(who: np.ndarray, schedules: list[Any], at: np.ndarray) -> Solution:
        """Solve rows, each of a person `who`, where that has a rhythm to start from; the others keep their reason."""
        if np.all(healthy):
            return solve(system, parameters[who], start[who], schedules, at, names, request.rtol)
        values = np.full((len(who), len(at), len(names)), np.nan)
        status, reason = no_rhythm[who], [why[person] for person in who]
        rows = np.flatnonzero(healthy[who])
        if len(rows):
            found = solve(
                system,
                parameters[who[rows]],
                start[who[rows]],
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
    everyone, people = np.arange(len(parameters)), len(parameters)
    twin = solved(everyone, [()] * people, with_day)
    daily_mean = twin.values[:, place[: len(day)]].mean(axis=1)  # equal steps: exact for a smooth rhythm
    schedules = [
        schedule for arm in resolved.arms for schedule in schedules_of(request.doses[arm], model, system, parameters)
    ]
    # one solve for all arms, from midnight of day 1 on whatever is looked at
    arms = solved(np.tile(everyone, len(resolved.arms)), schedules, times if times[0] <= 0 else np.append(0.0, times))
    status = arms.status.reshape(-1, people)
    status = np.where(status == Status.SOLVED, twin.status, status).astype(np.int8)
    reason = np.array(
        [a or t for a, t in zip(arms.reason, twin.reason * len(resolved.arms), strict=True)], dtype=object
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
    return _Run(status, reason, system)


def _dataset(
    request: _Request, runs: list[_Run], values: dict[str, np.ndarray], twins: dict[str, np.ndarray]
) -> xr.Dataset:
    import xarray as xr  # imported late: it costs half a second

    scenario, resolved, times = request.scenario, request.resolved, request.times

    has_people = resolved.population is not None
    subject = ["subject"] if has_people else []

    def variable(dims: list[str], array: np.ndarray, attrs: dict[str, Any], people_axis: int) -> xr.Variable:
        """Drop the people axis where there is one typical person."""
        return xr.Variable(dims, array if has_people else array.take(0, axis=people_axis), attrs)

    data: dict[str, xr.Variable] = {}
    for name, output in request.shown.items():
        attrs = _attributes(name, output, resolved, runs)
        data[name] = variable(["account", "arm", *subject, "time"], values[name], attrs, 2)
        if output.kind == "endogenous" and output.relative_to != "drug_free":
            twin = {**attrs, "long_name": f"{attrs['long_name']}, without drug"}
            data[f"{name}_drug_free"] = variable(["account", *subject, "time"], twins[name], twin, 1)
    flags = {
        "flag_values": [int(s) for s in Status],
        "flag_meanings": " ".join(s.name.lower() for s in Status),
        "long_name": "What became of the person",
    }
    data["status"] = variable(["account", "arm", *subject], np.array([run.status for run in runs]), flags, 2)
    data["reason"] = variable(
        ["account", "arm", *subject], np.array([run.reason for run in runs]), {"long_name": "Why, where not solved"}, 2
    )
    data.update(_dose_variables(request.doses, subject, variable))
    coords: dict[str, Any] = {
        "account": np.array([setting.account for setting in resolved.settings], dtype=object),
        "arm": np.array(list(resolved.arms), dtype=object),
        "time": ("time", times, {"units": "h", "long_name": "Time since local midnight of day 1"}),
        "clock_time": ("time", times % DAY, {"units": "h", "long_name": "Clock time"}),
    }
    if resolved.population:
        coords["subject"] = np.arange(1, resolved.population.size + 1)
    return xr.Dataset(data, coords, _provenance(scenario, resolved))


def _dose_variables(
    doses: dict[str, list[tuple[Dose, ...]]], subject: list[str], variable: Any
) -> dict[str, xr.Variable]:
    most = max((len(taken) for people in doses.values() for taken in people), default=0)
    shape = (len(doses), len(next(iter(doses.values()))), most)
    time, amount, name = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, "", dtype=object)
    for arm, people in enumerate(doses.values()):
        alike = all(taken is people[0] for taken in people)
        for person, taken in enumerate(people[:1] if alike else people):
            to = slice(None) if alike else person
            for index, dose in enumerate(taken):
                time[arm, to, index] = dose.time
                amount[arm, to, index] = (
                    coherent(dose.amount) * 1e6 if dose.amount.dimension.mass else coherent(dose.amount)
                )
                name[arm, to, index] = dose.input
    dims = ["arm", *subject, "dose"]
    return {
        "dose_time": variable(dims, time, {"units": "h", "long_name": "Time of the dose"}, 1),
        "dose_amount": variable(dims, amount, {"units": "mg", "long_name": "Dose on the label"}, 1),
        "dose_input": variable(dims, name, {"long_name": "Input of the dose"}, 1),
    }


def _attributes(name: str, output: Output, resolved: Resolved, runs: list[_Run]) -> dict[str, Any]:
    tags = {f"evidence_{s.account}": run.system.evidence[name] for s, run in zip(resolved.settings, runs, strict=True)}
    attrs: dict[str, Any] = {
        "units": output.unit,
        "long_name": output.title,
        "kind": output.kind,
        "evidence": weakest(tuple(tags.values())),
        **tags,
    }
    if output.relative_to:
        attrs["relative_to"] = output.relative_to
    if output.observed:
        attrs["observed"] = output.observed.note
        attrs["observed_hours"] = hours(output.observed.hours)
        attrs["observed_doses"] = [coherent(dose) * 1e6 for dose in output.observed.doses]
    return attrs


def _provenance(scenario: Scenario, resolved: Resolved) -> dict[str, Any]:
    duration = hours(resolved.duration)
    last_day = max(0.0, (np.floor(duration / DAY) - 1) * DAY)
    window = tuple(map(coherent, scenario.window)) if scenario.window else (last_day, min(last_day + DAY, duration))
    return {
        "Conventions": "CF-1.11",
        "title": scenario.question,
        "scenario": scenario.name,
        "question": scenario.question,
        "cannot_say": scenario.cannot_say,
        "model": scenario.model.name,
        "model_hash": hashlib.sha256(scenario.model.model_dump_json().encode()).hexdigest(),
        "scenario_text": scenario.text,
        "changes": json.dumps(scenario.changes),
        "seed": resolved.population.seed if resolved.population else 1,
        "package_version": _version(),
        "window": list(window),
        "account_titles": json.dumps({setting.account: setting.title for setting in resolved.settings}),
        "arm_titles": json.dumps({name: arm.title or name for name, arm in resolved.arms.items()}),
        "extrapolated": _extrapolated(scenario, resolved),
        "disclaimer": DISCLAIMER,
    }


def _extrapolated(scenario: Scenario, resolved: Resolved) -> list[str]:
    """A sentence for each output that goes where no human data are."""
    duration = hours(resolved.duration)
    sentences = []
    for name, output in _shown_outputs(scenario).items():
        if output.observed is None:
            continue
        reach = hours(output.observed.hours)
        if duration > reach:
            low, high = output.observed.doses
            sentences.append(
                f"{output.title} ({name}): human data reach {reach:g} h after single doses of {low} to {high}; "
                f"everything later is extrapolated. {output.observed.note}"
            )
    return sentences


def _version() -> str:
    try:
        return version("ldnsim")
    except PackageNotFoundError:
        return "unknown"
