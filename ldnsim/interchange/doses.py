"""A scenario -> event records: every dose of every arm and person, and the values that this person has of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.addresses import resolve, setting_of
from ldnsim.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.interchange.tablefiles import pandas
from ldnsim.people import doses_of, everyone, occasions_of, parameters_of
from ldnsim.schedule import label_molar_mass
from ldnsim.system import composed, molar_mass
from ldnsim.units import coherent, declared

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.addresses import Resolved, Setting
    from ldnsim.dosing import Dose
    from ldnsim.model import Model
    from ldnsim.scenario import Scenario
    from ldnsim.system import System

__all__ = ["export_doses"]

ONE_OCCASION = "a population without `occasion`: a record's values hold before it, an occasion's from its dose on"


def export_doses(scenario: Scenario, account: str | None = None) -> pd.DataFrame:
    """A record for each dose that each person takes in each arm of a scenario, for `simulate_data` or other programs.

    Columns: ID (counts persons through all arms), ARM, SUBJECT, TIME (h since midnight of day 1), EVID 1, AMT (in the
    unit of the states that the dose goes to: salt and potency are applied), RATE (that unit per hour, 0: at once), CMT
    (the input's name). Lag and shares stay with the input. Parameters that differ from those of the model's account,
    for this person or through the scenario's changes, have a column each. Simulated in the same account, the records
    give the curves of the scenario. A person who takes nothing has one record of an observation, at 0 h.
    Raises LdnsimError for an account that the scenario does not have, or none where it has several, and for parameters
    that differ from one occasion to the next.
    """
    pd = pandas()
    resolved = resolve(scenario)
    setting = _of_account(resolved, account)
    model = scenario.model
    system = composed(model, setting.parts)
    subjects = everyone(resolved)
    values = parameters_of(model, system, setting, resolved, subjects)
    own = _own_values(model, system, setting, values)
    pieces = []
    for number, arm in enumerate(resolved.arms):
        taken = doses_of(scenario, resolved, arm, subjects)
        if occasions_of(system, setting, resolved, subjects, values, taken) is not None:
            raise LdnsimError(Fault("parameters differ from one occasion to the next", expected=ONE_OCCASION))
        counts = np.array([max(1, len(doses)) for doses in taken])
        who = np.repeat(np.arange(len(subjects)), counts)
        rows = {"ID": number * len(subjects) + who + 1, "ARM": arm, "SUBJECT": np.array(subjects)[who]}
        rows |= dict(zip(("TIME", "EVID", "AMT", "RATE", "CMT"), _records(model, setting, taken), strict=True))
        pieces.append(pd.DataFrame(rows | {name: values[who] for name, values in own.items()}))
    return pd.concat(pieces, ignore_index=True)


def _of_account(resolved: Resolved, account: str | None) -> Setting:
    names = [setting.account for setting in resolved.settings]
    if account is None and len(names) > 1:
        message = f"the scenario compares {len(names)} accounts, and records are those of one"
        raise LdnsimError(Fault(message, (), f"one of {listed(names)}"))
    if account is not None and account not in names:
        message = f"the scenario has no account {shown(account)}"
        raise LdnsimError(Fault(message, (), listed(names), nearest(account, names)))
    return resolved.settings[names.index(account) if account else 0]


def _records(model: Model, setting: Setting, taken: list[tuple[Dose, ...]]) -> tuple[np.ndarray, ...]:
    """TIME, EVID, AMT, RATE and CMT of what each person takes, one after the other."""
    states = {f"{slot}.{name}": state for slot, part in setting.parts.items() for name, state in part.states.items()}
    into = {
        name: states[next(iter(product.to))] for name, product in model.inputs.items() if set(product.to) <= set(states)
    }
    units = {name: declared(state.unit, molar_mass(model, state.of)) for name, state in into.items()}
    weights = {name: label_molar_mass(model, product) for name, product in model.inputs.items()}
    made: dict[int, list[tuple[float, int, float, float, str]]] = {}
    rows: list[tuple[float, int, float, float, str]] = []
    for doses in taken:
        if id(doses) not in made:
            made[id(doses)] = [_record(dose, units[dose.input], weights[dose.input]) for dose in doses]
        rows += made[id(doses)] or [(0.0, 0, 0.0, 0.0, ".")]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _record(dose: Dose, unit: float, weight: float) -> tuple[float, int, float, float, str]:
    amount = coherent(dose.amount, weight) * dose.potency / unit
    return dose.time, 1, amount, amount / dose.infuse if dose.infuse else 0.0, dose.input


def _own_values(model: Model, system: System, setting: Setting, values: np.ndarray) -> dict[str, np.ndarray]:
    """Parameters in their declared units, (subjects,), where somebody's is not that of the model's account."""
    plain = setting_of(model, setting.account)
    records = setting.parameters
    found = {}
    for index, name in enumerate(system.parameters):
        mass = molar_mass(model, records[name].of)
        if name not in plain.values or np.any(values[:, index] != coherent(plain.values[name], mass)):
            found[name] = values[:, index] / declared(records[name].value.unit, mass)
    return found
