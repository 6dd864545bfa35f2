"""Who takes part in a run: each subject's parameters and doses. Subject 17 of a seed is the same whoever else is asked
for, so that any stretch of subjects can be made on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.dosing.adherence import given_doses
from ldnsim.dosing.events import Occasions
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent, declared
from ldnsim.model.system import System, molar_mass
from ldnsim.model.variability import drawn, mixed, normals, varied

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ldnsim.dosing.regimen import Dose
    from ldnsim.foundation.units import Quantity
    from ldnsim.model.records import Model
    from ldnsim.scenario.changes import Resolved, Setting
    from ldnsim.scenario.population import Population
    from ldnsim.scenario.scenario import Scenario

__all__ = ["TYPICAL", "doses_of", "everyone", "occasions_of", "parameters_of", "shown_draws"]

TYPICAL = range(1, 2)  # without a population: one typical person, who takes part in the draws of doses as subject 1


def everyone(resolved: Resolved) -> range:
    """The subjects of a scenario, counted from 1."""
    return range(1, resolved.population.size + 1) if resolved.population else TYPICAL


def doses_of(scenario: Scenario, resolved: Resolved, arm: str, subjects: range) -> list[tuple[Dose, ...]]:
    """The doses that each of the subjects takes in an arm."""
    seed = resolved.population.seed if resolved.population else 1
    return given_doses(resolved.arms[arm], hours(resolved.duration), scenario.start_day, seed, subjects)


def parameters_of(model: Model, system: System, setting: Setting, resolved: Resolved, subjects: range) -> np.ndarray:
    """Coherent parameter values (subjects, parameters) of an account.

    Without a population the typical ones. In one, a parameter is read from the table, or drawn from the scenario's
    distribution, or varies as its part says, whichever comes first. Raises LdnsimError for a share that cannot vary as
    much as it should.
    """
    found = np.empty((len(subjects), len(system.parameters)))
    people = _People(resolved.population, setting, subjects) if resolved.population else None
    for place, name in enumerate(system.parameters):
        mass = molar_mass(model, setting.parameters[name].of)
        typical = coherent(setting.values[name], mass)
        found[:, place] = people.values(name, typical, mass) if people else typical
    return found


def occasions_of(
    system: System,
    setting: Setting,
    resolved: Resolved,
    subjects: range,
    parameters: np.ndarray,
    doses: Sequence[tuple[Dose, ...]],
) -> Occasions | None:
    """What varies from occasion to occasion while the subjects, whose `parameters` (subjects, parameters) these are,
    take their doses; None where nothing does. A person's occasion is the same in all arms."""
    population = resolved.population
    names = [name for name in system.parameters if setting.parameters[name].iov_cv is not None]
    if population is None or population.occasion is None or not names:
        return None
    length = hours(population.occasion)
    last = max((dose.time for taken in doses for dose in taken[-1:]), default=0.0)
    places = [system.parameters.index(name) for name in names]
    values = np.empty((len(subjects), int(last // length) + 1, len(names)))
    for index, (name, place) in enumerate(zip(names, places, strict=True)):
        record, own = setting.parameters[name], parameters[:, place]
        cv, typical = coherent(record.iov_cv), coherent(setting.values[name])  # type: ignore[arg-type]
        for occasion in range(values.shape[1]):
            z = normals(population.seed, f"{name}.occasion.{occasion}", subjects)
            values[:, occasion, index] = varied(record.distribution, own, cv, typical, z)
    return Occasions(length, tuple(places), values)


def shown_draws(
    model: Model, system: System, setting: Setting, resolved: Resolved, parameters: np.ndarray
) -> dict[str, np.ndarray]:
    """What differs between people by draw or table: address -> values (subjects,) in the unit of the parameter."""
    if resolved.population is None:
        return {}
    given = resolved.population.given
    found = {}
    for name, column in zip(system.parameters, parameters.T, strict=True):
        record = setting.parameters[name]
        if name in given or record.iiv_cv is not None:
            found[name] = column / declared(record.value.unit, molar_mass(model, record.of))
    return found


class _People:
    """The standard normal numbers of some subjects, correlated where the parts or the scenario say so."""

    def __init__(self, population: Population, setting: Setting, subjects: range) -> None:
        self.population, self.setting, self.subjects = population, setting, subjects
        self.columns = {column.address: column for column in population.table.columns} if population.table else {}
        self.mixed = mixed(self.own, setting.correlations(population.correlations))

    def own(self, quantity: str) -> np.ndarray:
        return normals(self.population.seed, quantity, self.subjects)

    def numbers(self, quantity: str) -> np.ndarray:
        return self.mixed[quantity] if quantity in self.mixed else self.own(quantity)

    def values(self, name: str, typical: float, mass: float | None) -> np.ndarray | float:
        if name in self.columns:
            column = self.columns[name]
            rows = column.values[self.subjects.start - 1 : self.subjects.stop - 1]
            return np.array(rows) * declared(column.unit, mass)
        spread = self.population.covariates.get(name)
        if spread is not None:
            return drawn(spread, self.numbers(name), _to_coherent(mass))
        record = self.setting.parameters[name]
        if record.iiv_cv is None:
            return typical
        return varied(record.distribution, typical, coherent(record.iiv_cv), typical, self.numbers(name))


def _to_coherent(mass: float | None) -> Callable[[Quantity], float]:
    return lambda quantity: coherent(quantity, mass)
