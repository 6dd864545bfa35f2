"""What the solver found, as an xarray.Dataset with units, tags, doses and provenance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.dosing.regimen import DAY, Dose
from ldnsim.engine.events import Status
from ldnsim.engine.steady import unsettled
from ldnsim.foundation.fields import hours
from ldnsim.foundation.polynomials import NODES
from ldnsim.foundation.units import coherent, declared
from ldnsim.metrics.attributes import (
    EVIDENCE,
    INPUTS,
    OBSERVED,
    OBSERVED_DOSES,
    OBSERVED_HOURS,
    RELATIVE_TO,
    evidence_key,
)
from ldnsim.metrics.outputs import PIECE_END, PIECE_START, pieces_name, twin_name
from ldnsim.model.records import Output, weakest
from ldnsim.model.system import System, composed, molar_mass
from ldnsim.scenario.changes import Resolved, Setting, settings_of_draw
from ldnsim.simulation.dose_variables import dose_variables, missed_of
from ldnsim.simulation.people import parameters_of, shown_draws
from ldnsim.simulation.provenance import provenance
from ldnsim.simulation.recording import has_twin
from ldnsim.simulation.solve import inputs_of

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.model.records import Evidence
    from ldnsim.scenario.scenario import Scenario
    from ldnsim.scenario.uncertainty import Uncertainty
    from ldnsim.simulation.recording import Recorded
    from ldnsim.simulation.solve import Courses

__all__ = ["Request", "dataset", "output_attributes", "stated"]


@dataclass(frozen=True)
class Request:
    """What is to be simulated: the scenario, its changes applied, who takes part, doses by arm, sample times (h)."""

    scenario: Scenario
    resolved: Resolved
    subjects: range
    doses: dict[str, list[tuple[Dose, ...]]]
    times: np.ndarray
    shown: dict[str, Output]


def dataset(request: Request, found: Courses) -> xr.Dataset:
    """The result: what was found in the one case asked for, or in that and each draw of what is uncertain."""
    import xarray as xr  # imported late: it costs half a second

    scenario, resolved, times = request.scenario, request.resolved, request.times

    has_people = resolved.population is not None
    subject = ["subject"] if has_people else []
    draw = ["draw"] if resolved.uncertainty else []

    def cases(dims: list[str], array: np.ndarray, attrs: dict[str, Any], people_axis: int) -> xr.Variable:
        """Drop the cases axis where there is one."""
        return variable([*draw, *dims], array if draw else array[0], attrs, people_axis + len(draw))

    def variable(dims: list[str], array: np.ndarray, attrs: dict[str, Any], people_axis: int) -> xr.Variable:
        """Drop the people axis where there is one typical person."""
        return xr.Variable(dims, array if has_people else array.take(0, axis=people_axis), attrs)

    data: dict[str, xr.Variable] = {}
    for name, output in request.shown.items():
        attrs = output_attributes(name, output, request)
        data[name] = cases(["account", "arm", *subject, "time"], found.values[name], attrs, 2)
        if has_twin(output):
            twin = {**attrs, "long_name": f"{attrs['long_name']}, without drug"}
            data[twin_name(name)] = cases(["account", *subject, "time"], found.twins[name], twin, 1)
    if found.recorded is not None:
        shape = found.status.shape
        for name, (array, attrs) in _pieces(request, found.recorded, data).items():
            last = ["piece", "node"][: array.ndim - 1]
            data[name] = cases(["account", "arm", *subject, *last], array.reshape(*shape, *array.shape[1:]), attrs, 2)
    flags = {
        "flag_values": [int(s) for s in Status],
        "flag_meanings": " ".join(s.name.lower() for s in Status),
        "long_name": "What became of the person",
    }
    data["status"] = cases(["account", "arm", *subject], found.status, flags, 2)
    data["reason"] = cases(["account", "arm", *subject], found.reason, {"long_name": "Why, where not solved"}, 2)
    missed = missed_of(scenario, resolved, request.subjects)
    data.update(dose_variables(scenario.model, request.doses, missed, people=has_people))
    if found.recorded is not None:
        nodes = {"units": "1", "long_name": "Place within a piece of the curves"}
        data_nodes = {"node": ("node", NODES, nodes)}
    else:
        data_nodes = {}
    coords: dict[str, Any] = {
        **data_nodes,
        "account": np.array([setting.account for setting in resolved.settings], dtype=object),
        "arm": np.array(list(resolved.arms), dtype=object),
        "time": ("time", times, {"units": "h", "long_name": "Time since local midnight of day 1"}),
        "clock_time": ("time", times % DAY, {"units": "h", "long_name": "Clock time"}),
    }
    if resolved.uncertainty:
        coords.update(_draw_coordinates(request, resolved.uncertainty))
    if resolved.population:
        coords["subject"] = np.array(request.subjects)
        coords.update(_drawn_coordinates(request, {*data, *coords}))
    attrs = provenance(scenario, resolved, times)
    if found.residuals:
        states, residuals = _residuals(request, found)
        meaning = {"units": "1", "long_name": "What a further cycle would change, as a share of the state's size"}
        data["steady_residual"] = cases(["account", "arm", *subject, "state"], residuals, meaning, 2)
        coords["state"] = np.array(states, dtype=object)
        attrs["notes"] = [*attrs["notes"], *_unsettled(request, found)]
    return xr.Dataset(data, coords, attrs)


def _pieces(
    request: Request, recorded: Recorded, data: dict[str, xr.Variable]
) -> dict[str, tuple[np.ndarray, dict[str, Any]]]:
    """name -> array (rows, piece[, node]), padded with NaN, and its labels: the curves over the window of metrics, and
    where an output is read past it from the last dose on."""
    mesh = recorded.mesh
    counts = mesh.last - mesh.first
    place = np.arange(len(mesh.start)) - np.repeat(mesh.first, counts)

    def padded(values: np.ndarray) -> np.ndarray:
        room = np.full((mesh.rows, int(counts.max(initial=0)), *values.shape[1:]), np.nan)
        room[mesh.row, place] = values
        return room

    found = {
        PIECE_START: (padded(mesh.start), {"units": "h", "long_name": "Start of a piece of the curves"}),
        PIECE_END: (padded(mesh.end), {"units": "h", "long_name": "End of a piece of the curves"}),
    }
    twins = {twin_name(name): values for name, values in recorded.twins.items()}
    for name, values in {**recorded.values, **twins}.items():
        attrs = data[name].attrs
        text = f"{attrs['long_name']}, at the nodes of each piece"
        found[pieces_name(name)] = padded(values), {"units": attrs["units"], "long_name": text}
    return found


def _residuals(request: Request, found: Courses) -> tuple[list[str], np.ndarray]:
    """All accounts' states, and (cases, accounts, arms, people, states) with NaN for those that an account lacks."""
    model, settings = request.scenario.model, request.resolved.settings
    own = [composed(model, setting.parts).states for setting in settings]
    states = list(dict.fromkeys(state for names in own for state in names))
    residuals = np.full((*found.status.shape, len(states)), np.nan)
    for (case, account), array in found.residuals.items():
        residuals[case, account][..., [states.index(state) for state in own[account]]] = array
    return states, residuals


def _unsettled(request: Request, found: Courses) -> list[str]:
    """A sentence for each state that had not settled when day 1 began, with all values as stated."""
    model = request.scenario.model
    return [
        f"{setting.account}, {arm.title or name}: {note}"
        for account, setting in enumerate(request.resolved.settings)
        for place, (name, arm) in enumerate(request.resolved.arms.items())
        for note in unsettled(composed(model, setting.parts), found.residuals[0, account][place])
    ]


def stated(result: xr.Dataset) -> xr.Dataset:
    """A result, or a table of metrics, without the draws of what is uncertain: with all values as stated."""
    return result.sel(draw=0, drop=True) if "draw" in result.dims else result


def _draw_coordinates(request: Request, uncertainty: Uncertainty) -> dict[str, Any]:
    """Number and values of each draw of what is uncertain; draw 0 has them as stated."""
    model, settings = request.scenario.model, request.resolved.settings
    draws = range(1, uncertainty.draws + 1)
    all_settings = [settings, *(settings_of_draw(model, uncertainty, settings, draw) for draw in draws)]
    coords: dict[str, Any] = {"draw": ("draw", np.arange(len(all_settings)), {"long_name": "Draw; 0: as stated"})}
    for address in uncertainty.addresses:
        record = next(setting.parameters[address] for setting in settings if address in setting.parameters)
        mass, unit = molar_mass(model, record.of), record.value.unit
        values = np.array(
            [
                [coherent(own.values[address], mass) if address in own.values else np.nan for own in drawn]
                for drawn in all_settings
            ]
        ) / declared(unit, mass)  # fmt: skip
        attrs = {"units": unit, "long_name": f"{record.description}, as drawn", "address": address}
        alike = bool(np.all(values == values[:, :1]))
        label = f"drawn_{address.replace('.', '_')}"
        coords[label] = ("draw", values[:, 0], attrs) if alike else (("draw", "account"), values, attrs)
    return coords


def _drawn_coordinates(request: Request, taken: set[str]) -> dict[str, Any]:
    """What was drawn of each person, by the parameter's own name where that is free; of each account where they differ,
    NaN where an account has no such parameter."""
    model, settings = request.scenario.model, request.resolved.settings
    drawn = []
    for setting in settings:
        system = composed(model, setting.parts)
        parameters = parameters_of(model, system, setting, request.resolved, request.subjects)
        drawn.append(shown_draws(model, system, setting, request.resolved, parameters))
    names = list(dict.fromkeys(name for found in drawn for name in found))
    short = [name.split(".")[1] for name in names]
    coords: dict[str, Any] = {}
    for address, own in zip(names, short, strict=True):
        record = next(setting.parameters[address] for setting in settings if address in setting.parameters)
        attrs = {"units": record.value.unit, "long_name": record.description, "address": address}
        label = own if short.count(own) == 1 and own not in taken else address.replace(".", "_")
        nobody = np.full(len(request.subjects), np.nan)
        values = np.array([found.get(address, nobody) for found in drawn])
        alike = bool(np.all(values == values[0]))
        coords[label] = ("subject", values[0], attrs) if alike else (("account", "subject"), values, attrs)
    return coords


def output_attributes(name: str, output: Output, request: Request) -> dict[str, Any]:
    """Labels of an output: unit, what it is, evidence tags by account, the reach of human data."""
    model = request.scenario.model
    tags = {
        evidence_key(setting.account): _tag(name, request, setting, composed(model, setting.parts))
        for setting in request.resolved.settings
    }
    attrs: dict[str, Any] = {
        "units": output.unit,
        "long_name": output.title,
        "kind": output.kind,
        EVIDENCE: weakest(tuple(tags.values())),
        **tags,
    }
    if output.relative_to:
        attrs[RELATIVE_TO] = output.relative_to
    if inputs := inputs_of(name, output, model, request.resolved.settings):
        attrs[INPUTS] = inputs
    if output.observed:
        attrs[OBSERVED] = output.observed.note
        attrs[OBSERVED_HOURS] = hours(output.observed.hours)
        attrs[OBSERVED_DOSES] = [coherent(dose) * 1e6 for dose in output.observed.doses]
    return attrs


def _tag(name: str, request: Request, setting: Setting, system: System) -> Evidence:
    """The tag of an output in an account; a hypothesis, once a single value behind it was changed by hand."""
    behind = {qualified: qualified.split(".")[1] for qualified in system.rests_on[name] if qualified in setting.values}
    changed = request.scenario.changes.keys() & {*behind, *behind.values()}
    return "hypothesis" if changed else system.evidence[name]
