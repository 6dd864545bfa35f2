"""Who takes part in a run: each subject's parameters and doses. Subject 17 of a seed is the same whoever else is asked
for, so that any stretch of subjects can be made on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.fields import hours
from ldnsim.population import log_normal_factors
from ldnsim.system import System, molar_mass
from ldnsim.taking import given_doses
from ldnsim.units import coherent

if TYPE_CHECKING:
    from ldnsim.addresses import Resolved, Setting
    from ldnsim.dosing import Dose
    from ldnsim.model import Model
    from ldnsim.scenario import Scenario

__all__ = ["TYPICAL", "doses_of", "everyone", "parameters_of"]

TYPICAL = range(1, 2)  # without a population: one typical person, who takes part in the draws of doses as subject 1


def everyone(resolved: Resolved) -> range:
    """The subjects of a scenario, counted from 1."""
    return range(1, resolved.population.size + 1) if resolved.population else TYPICAL


def doses_of(scenario: Scenario, resolved: Resolved, arm: str, subjects: range) -> list[tuple[Dose, ...]]:
    """The doses that each of the subjects takes in an arm."""
    seed = resolved.population.seed if resolved.population else 1
    return given_doses(resolved.arms[arm], hours(resolved.duration), scenario.start_day, seed, subjects)


def parameters_of(model: Model, system: System, setting: Setting, resolved: Resolved, subjects: range) -> np.ndarray:
    """Coherent parameter values (subjects, parameters) of an account."""
    records = setting.parameters
    typical = {name: coherent(setting.values[name], molar_mass(model, records[name].of)) for name in system.parameters}
    columns = []
    for name in system.parameters:
        cv = records[name].iiv_cv
        drawn = resolved.population is not None and cv is not None
        factors = log_normal_factors(resolved.population, name, coherent(cv), subjects) if drawn else 1.0  # type: ignore[arg-type]
        columns.append(np.broadcast_to(typical[name] * factors, len(subjects)))
    return np.column_stack(columns) if columns else np.empty((len(subjects), 0))
