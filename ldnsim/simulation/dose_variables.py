"""Who takes what, when, as variables of a Dataset: the same in a result and ahead of one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.dosing.adherence import missed_doses
from ldnsim.dosing.events import label_molar_mass
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent
from ldnsim.scenario.changes import resolve
from ldnsim.simulation.people import doses_of, everyone

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.dosing.regimen import Dose
    from ldnsim.model.records import Model
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["dose_amounts", "dose_times", "dose_variables", "missed_of", "planned_intake"]

MG = 1e6  # in a kg
DosesByArm = Mapping[str, Sequence[tuple["Dose", ...]]]  # arm -> the doses of each person


def planned_intake(scenario: Scenario, subject: int = 1) -> xr.Dataset:
    """What one person of the scenario takes and misses in each arm, without simulating anything.

    The variables of a result that are about doses, dims (arm, dose) and (arm, missed); without a population the person
    is number 1. Raises LdnsimError as `simulate` does, and for a person who is not there.
    Attributes tell the length of the run (`hours`) and the weekday of day 1.
    """
    import xarray as xr  # imported late: it costs half a second

    resolved = resolve(scenario)
    known = everyone(resolved)
    if subject not in known:
        raise LdnsimError(Fault(f"the scenario has no person {subject}", expected=f"1 to {known[-1]}"))
    subjects = range(subject, subject + 1)
    doses = {arm: doses_of(scenario, resolved, arm, subjects) for arm in resolved.arms}
    missed = missed_of(scenario, resolved, subjects)
    return xr.Dataset(
        dose_variables(scenario.model, doses, missed, people=False),
        {"arm": np.array(list(doses), dtype=object)},
        {
            "start_day": scenario.start_day,
            "hours": hours(resolved.duration),
            "arm_titles": json.dumps({name: arm.title or name for name, arm in resolved.arms.items()}),
        },
    )


def missed_of(scenario: Scenario, resolved: Resolved, subjects: range) -> dict[str, list[tuple[Dose, ...]]]:
    """arm -> the doses that each of the subjects was to take and does not."""
    seed = resolved.population.seed if resolved.population else 1
    duration, start_day = hours(resolved.duration), scenario.start_day
    return {name: missed_doses(arm, duration, start_day, seed, subjects) for name, arm in resolved.arms.items()}


def dose_variables(model: Model, doses: DosesByArm, missed: DosesByArm, *, people: bool) -> dict[str, xr.Variable]:
    """Doses as variables (arm, [subject,] dose), NaN or "" after the last of a person; without `people` of the first.

    `dose_time` (h), `dose_amount` (mg on the label), `dose_input`; and where they say something, `dose_taken` (mg of
    label that was really in it), `dose_late` (h after the planned time), `dose_infuse` (h). Doses missed have variables
    of their own, (arm, [subject,] missed).
    """
    weigh = _LabelAmounts(model)
    columns: dict[str, tuple[Callable[[Dose], Any], dict[str, str]]] = {
        "time": (lambda dose: dose.time, {"units": "h", "long_name": "Time of the dose"}),
        "amount": (weigh, {"units": "mg", "long_name": "Dose on the label"}),
        "input": (lambda dose: dose.input, {"long_name": "Input of the dose"}),
    }
    further: dict[str, tuple[Callable[[Dose], Any], dict[str, str]]] = {
        "taken": (
            lambda dose: weigh(dose) * dose.potency,
            {"units": "mg", "long_name": "What was in the dose, as weight on the label"},
        ),
        "late": (lambda dose: dose.late, {"units": "h", "long_name": "Time of the dose after the planned one"}),
        "infuse": (lambda dose: dose.infuse, {"units": "h", "long_name": "Length of the infusion; 0: at once"}),
    }
    telling: dict[str, Callable[[Dose], bool]] = {
        "taken": lambda dose: dose.potency != 1,
        "late": lambda dose: dose.late != 0,
        "infuse": lambda dose: dose.infuse != 0,
    }
    lists = {id(taken): taken for each in doses.values() for taken in each}.values()
    for name, tells in telling.items():
        if any(tells(dose) for taken in lists for dose in taken):
            columns[name] = further[name]
    found = _variables("dose", doses, columns, people=people)
    if any(left for each in missed.values() for left in each):
        words = {"time": "Time of the dose missed", "amount": "Dose missed", "input": "Input of the dose missed"}
        named = {name: (columns[name][0], {**columns[name][1], "long_name": text}) for name, text in words.items()}
        found |= _variables("missed", missed, named, people=people)
    return found


def dose_times(people: Sequence[tuple[Dose, ...]], inputs: Collection[str] = ()) -> np.ndarray:
    """When each person takes a dose above zero, h, of some inputs (none: any); (people, doses), NaN-padded."""
    kept = {  # a plan that many share is looked through once
        key: tuple(dose for dose in taken if dose.amount.value > 0 and (not inputs or dose.input in inputs))
        for key, taken in {id(taken): taken for taken in people}.items()
    }
    return _padded([kept[id(taken)] for taken in people], lambda dose: dose.time)


def dose_amounts(model: Model, people: Sequence[tuple[Dose, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Times of all doses, h, and what their labels say, mg; (people, doses), NaN-padded."""
    return _padded(people, lambda dose: dose.time), _padded(people, _LabelAmounts(model))


def _padded(people: Sequence[tuple[Dose, ...]], value: Callable[[Dose], float]) -> np.ndarray:
    found = np.full((len(people), max(map(len, people), default=0)), np.nan)
    alike = all(taken is people[0] for taken in people)
    for person, taken in enumerate(people[:1] if alike else people):
        found[slice(None) if alike else person, : len(taken)] = [value(dose) for dose in taken]
    return found


class _LabelAmounts:
    """mg on the label of a dose, whatever unit it was written in; each amount is looked up once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.known: dict[tuple[Any, str], float] = {}

    def __call__(self, dose: Dose) -> float:
        key = dose.amount, dose.input
        if key not in self.known:
            amount = coherent(dose.amount)
            if not dose.amount.dimension.mass:  # nmol
                amount *= label_molar_mass(self.model, self.model.inputs[dose.input]) * 1e-12
            self.known[key] = amount * MG
        return self.known[key]


def _variables(
    dim: str, doses: DosesByArm, columns: Mapping[str, tuple[Callable[[Dose], Any], dict[str, str]]], *, people: bool
) -> dict[str, xr.Variable]:
    import xarray as xr

    rows = {arm: list(each) if people else [each[0]] for arm, each in doses.items()}
    most = max((len(taken) for each in rows.values() for taken in each), default=0)
    shape = (len(rows), max((len(each) for each in rows.values()), default=0), most)
    found = {}
    for name, (value, attrs) in columns.items():
        text = name == "input"
        array = np.full(shape, "" if text else np.nan, dtype=object if text else float)
        for arm, each in enumerate(rows.values()):
            if all(taken is each[0] for taken in each):  # one plan for all
                array[arm, :, : len(each[0])] = [value(dose) for dose in each[0]]
                continue
            for person, taken in enumerate(each):
                array[arm, person, : len(taken)] = [value(dose) for dose in taken]
        subject = ["subject"] if people else []
        found[f"{dim}_{name}"] = xr.Variable(["arm", *subject, dim], array if people else array[:, 0], attrs)
    return found
