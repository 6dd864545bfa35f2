"""A scenario -> event records: every dose of every arm and person, and the values that this person has of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.dosing.events import label_molar_mass
from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent, declared
from ldnsim.model.system import composed, molar_mass
from ldnsim.scenario.changes import resolve, setting_of
from ldnsim.simulation.nonmem.stages import Stage, stages_of
from ldnsim.simulation.nonmem.tables import pandas
from ldnsim.simulation.people import doses_of, everyone, occasions_of, parameters_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ldnsim.dosing.events import Occasions
    from ldnsim.dosing.regimen import Dose
    from ldnsim.model.records import Model
    from ldnsim.model.system import System
    from ldnsim.scenario.changes import Resolved, Setting
    from ldnsim.scenario.scenario import Scenario

__all__ = ["export_doses"]

Row = tuple[float, int, float, float, str]  # TIME, EVID, AMT, RATE, CMT
NOTHING: Row = (0.0, 0, 0.0, 0.0, ".")


def export_doses(scenario: Scenario, account: str | None = None) -> pd.DataFrame:
    """The doses of a scenario as NONMEM records, for `simulate_data` or other programs.

    Simulated in the same account, the records give the curves of the scenario.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    account : str, optional
        Name of an account; required if the scenario compares several.

    Returns
    -------
    pandas.DataFrame
        One row per dose, person and arm. Columns: ID (numbered through all arms), ARM, SUBJECT, TIME (h since
        midnight of day 1), EVID 1, AMT (in the unit of the states that receive it, with salt and potency applied),
        RATE (that unit per h; 0 for a bolus), CMT (name of the input, which has the lag and the shares of its
        states). Parameters that differ from the account's, by person or by the scenario's changes, are columns; where
        they change between occasions, records with EVID 2 mark the end of each interval. A person without doses has
        one observation record at 0 h.

    Raises
    ------
    LdnsimError
        If the account does not exist or is missing, or if the scenario starts in steady state, since records start
        drug-free.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> doses = ldn.export_doses(ldn.load_scenario("first_dose"), account="pet_pool")
    >>> doses.columns.tolist()
    ['ID', 'ARM', 'SUBJECT', 'TIME', 'EVID', 'AMT', 'RATE', 'CMT']
    """
    if scenario.start != "drug_free":
        raise LdnsimError(Fault("the doses before day 1 are no records", ("start",), "start: drug_free"))
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
        occasions = occasions_of(system, setting, resolved, subjects, values, taken)
        told = _Told(model, setting)
        changing: dict[str, np.ndarray] = {}
        if occasions is None:
            rows = [told.rows(doses) for doses in taken]
        else:
            end = hours(resolved.duration)
            rows, changing = _by_occasion(told, system, setting, taken, occasions, values, end)
        who = np.repeat(np.arange(len(subjects)), [len(of_one) for of_one in rows])
        frame = {"ID": number * len(subjects) + who + 1, "ARM": arm, "SUBJECT": np.array(subjects)[who]}
        columns = zip(*(row for of_one in rows for row in of_one), strict=True)
        frame |= dict(zip(("TIME", "EVID", "AMT", "RATE", "CMT"), map(np.array, columns), strict=True))
        frame |= {name: column[who] for name, column in own.items()} | changing
        pieces.append(pd.DataFrame(frame))
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


class _Told:
    """How the doses of each input are told: in which unit, and what the label weighs."""

    def __init__(self, model: Model, setting: Setting) -> None:
        self.model, parts = model, setting.parts.items()
        states = {f"{slot}.{name}": state for slot, part in parts for name, state in part.states.items()}
        self.units: dict[str, float] = {}
        self.lags: dict[str, str | None] = {}
        for name, product in model.inputs.items():
            if set(product.to) <= set(states):
                state = states[next(iter(product.to))]
                self.units[name], self.lags[name] = declared(state.unit, molar_mass(model, state.of)), product.lag
        self.weights = {name: label_molar_mass(model, product) for name, product in model.inputs.items()}
        self.made: dict[int, list[Row]] = {}  # what many people take is told once

    def rows(self, doses: tuple[Dose, ...]) -> list[Row]:
        if id(doses) not in self.made:
            self.made[id(doses)] = [self.row(dose) for dose in doses] or [NOTHING]
        return self.made[id(doses)]

    def row(self, dose: Dose) -> Row:
        amount = coherent(dose.amount, self.weights[dose.input]) * dose.potency / self.units[dose.input]
        return dose.time, 1, amount, amount / dose.infuse if dose.infuse else 0.0, dose.input


def _by_occasion(
    told: _Told,
    system: System,
    setting: Setting,
    taken: Sequence[tuple[Dose, ...]],
    occasions: Occasions,
    values: np.ndarray,
    end: float,
) -> tuple[list[list[Row]], dict[str, np.ndarray]]:
    """The rows of each person, and the columns (rows,) of the parameters that differ between occasions."""
    rows: list[list[Row]] = []
    stages: list[Stage] = []
    for person, doses in enumerate(taken):
        own = values[person]

        def lag_of(dose: Dose, now: tuple[float, ...], own: np.ndarray = own) -> float:
            name = told.lags[dose.input]
            place = system.parameters.index(name) if name else -1
            if place in occasions.places:
                return now[occasions.places.index(place)]
            return float(own[place]) if name else 0.0

        found = list(stages_of(doses, occasions.of(person), tuple(own[list(occasions.places)].tolist()), lag_of, end))
        stages += found
        rows.append([told.row(one.dose) if one.dose else (one.time, 2, 0.0, 0.0, ".") for one in found])
    columns = {}
    for place, column in zip(occasions.places, np.array([one.values for one in stages]).T, strict=True):
        name = system.parameters[place]
        record = setting.parameters[name]
        columns[name] = column / declared(record.value.unit, molar_mass(told.model, record.of))
    return rows, columns


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
