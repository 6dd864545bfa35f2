"""What the solver found, as an xarray.Dataset with units, tags, doses and provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.addresses import Resolved, Setting
from ldnsim.dosing import DAY, Dose
from ldnsim.engine import choose
from ldnsim.engine.events import Status
from ldnsim.engine.steady import Steady
from ldnsim.fields import hours
from ldnsim.model import Output, weakest
from ldnsim.provenance import provenance
from ldnsim.system import System
from ldnsim.units import coherent

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.model import Evidence
    from ldnsim.scenario import Scenario

__all__ = ["Request", "Run", "dataset"]


@dataclass(frozen=True)
class Request:
    """What is to be simulated: the scenario, its changes applied, who takes part, doses by arm, sample times (h)."""

    scenario: Scenario
    resolved: Resolved
    subjects: range
    doses: dict[str, list[tuple[Dose, ...]]]
    times: np.ndarray
    shown: dict[str, Output]
    rtol: float
    solver: choose.SolverName


@dataclass(frozen=True)
class Run:
    """What became of one account's people: arrays (arms, people). `steady`: of each arm, where runs start in it."""

    status: np.ndarray
    reason: np.ndarray
    system: System
    steady: list[Steady]


def dataset(
    request: Request, runs: list[Run], values: dict[str, np.ndarray], twins: dict[str, np.ndarray]
) -> xr.Dataset:
    """The result: `values` of each output (accounts, arms, people, times), `twins` (accounts, people, times)."""
    import xarray as xr  # imported late: it costs half a second

    scenario, resolved, times = request.scenario, request.resolved, request.times

    has_people = resolved.population is not None
    subject = ["subject"] if has_people else []

    def variable(dims: list[str], array: np.ndarray, attrs: dict[str, Any], people_axis: int) -> xr.Variable:
        """Drop the people axis where there is one typical person."""
        return xr.Variable(dims, array if has_people else array.take(0, axis=people_axis), attrs)

    data: dict[str, xr.Variable] = {}
    for name, output in request.shown.items():
        attrs = _attributes(name, output, request, runs)
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
    notes = _unsettled(request, runs)
    if scenario.start == "steady_state":
        states, residual = _residuals(runs)
        meaning = {"units": "1", "long_name": "What a further cycle would change, as a share of the state's size"}
        data["steady_residual"] = variable(["account", "arm", *subject, "state"], residual, meaning, 2)
    coords: dict[str, Any] = {
        "account": np.array([setting.account for setting in resolved.settings], dtype=object),
        "arm": np.array(list(resolved.arms), dtype=object),
        "time": ("time", times, {"units": "h", "long_name": "Time since local midnight of day 1"}),
        "clock_time": ("time", times % DAY, {"units": "h", "long_name": "Clock time"}),
    }
    if resolved.population:
        coords["subject"] = np.array(request.subjects)
    if "steady_residual" in data:
        coords["state"] = np.array(states, dtype=object)
    attrs = provenance(scenario, resolved, times)
    return xr.Dataset(data, coords, {**attrs, "notes": [*attrs["notes"], *notes]})


def _residuals(runs: list[Run]) -> tuple[list[str], np.ndarray]:
    """All accounts' states, and (accounts, arms, people, states) with NaN for those that an account lacks."""
    states = list(dict.fromkeys(state for run in runs for state in run.system.states))
    found = np.full((len(runs), *runs[0].status.shape, len(states)), np.nan)
    for account, run in enumerate(runs):
        places = [states.index(state) for state in run.system.states]
        found[account][:, :, places] = np.array([steady.residual for steady in run.steady])
    return states, found


def _unsettled(request: Request, runs: list[Run]) -> list[str]:
    """A sentence for each state that had not settled when day 1 began."""
    return [
        f"{setting.account}, {arm.title or name}: {note}"
        for setting, run in zip(request.resolved.settings, runs, strict=True)
        for (name, arm), steady in zip(request.resolved.arms.items(), run.steady, strict=False)
        for note in steady.notes
    ]


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


def _attributes(name: str, output: Output, request: Request, runs: list[Run]) -> dict[str, Any]:
    tags = {
        f"evidence_{setting.account}": _tag(name, request, setting, run.system)
        for setting, run in zip(request.resolved.settings, runs, strict=True)
    }
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


def _tag(name: str, request: Request, setting: Setting, system: System) -> Evidence:
    """The tag of an output in an account; a hypothesis, once a single value behind it was changed by hand."""
    behind = {qualified: qualified.split(".")[1] for qualified in system.rests_on[name] if qualified in setting.values}
    changed = request.scenario.changes.keys() & {*behind, *behind.values()}
    return "hypothesis" if changed else system.evidence[name]
