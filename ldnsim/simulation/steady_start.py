"""Runs that start in the steady state of their regimen: one cycle of it, and the doses that are on their way then."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.dosing.cycles import cycle_of
from ldnsim.dosing.events import schedules_of
from ldnsim.dosing.regimen import planned_doses
from ldnsim.engine.events import Kind
from ldnsim.engine.rhythm import ignores_time, repeats_daily
from ldnsim.engine.schedules import Schedules
from ldnsim.foundation.errors import LdnsimError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.dosing.regimen import Arm, Dose
    from ldnsim.model.records import Model
    from ldnsim.model.system import System

__all__ = ["Beginning", "beginning_of"]


class Beginning(NamedTuple):
    """Of one arm: a cycle's events from 0 h on, its length (h), and the run's events from 0 h on, for each person."""

    cycle: Schedules
    period: float
    run: Schedules


def beginning_of(
    arm: Arm,
    taken: Sequence[tuple[Dose, ...]],
    start_day: str,
    model: Model,
    system: System,
    parameters: np.ndarray,
) -> Beginning:
    """`taken` has the run's doses of each person, `parameters` (people, parameters) their values.

    Doses before day 1 that are still on their way, and infusions that run, go on in the run. Raises LdnsimError for
    equations that do not repeat every day.
    """
    if not ignores_time(system) and not repeats_daily(system, ()):
        raise LdnsimError("The model does not repeat every day: it has no steady state to start in.")
    period = cycle_of(arm)
    planned = planned_doses(arm, period, start_day)
    reach = max((_reach(dose, model, system, parameters) for dose in planned), default=0.0)
    before = math.ceil(reach / period)
    earlier = tuple(
        dose._replace(time=dose.time - number * period) for number in range(before, 0, -1) for dose in planned
    )
    whole = schedules_of([earlier + planned] * len(parameters), model, system, parameters)
    extended = {id(doses): earlier + doses for doses in {id(doses): doses for doses in taken}.values()}
    run = schedules_of([extended[id(doses)] for doses in taken], model, system, parameters)
    return Beginning(_from_midnight(whole, period), period, _from_midnight(run, math.inf))


def _reach(dose: Dose, model: Model, system: System, parameters: np.ndarray) -> float:
    """Hours until the last of a dose has entered, in anybody."""
    product = model.inputs[dose.input]
    waits = [parameters[:, system.parameters.index(name)].max() for name in (product.lag, product.over) if name]
    return float(sum(waits)) + dose.infuse


def _from_midnight(schedules: Schedules, end: float) -> Schedules:
    """What happens from 0 h on and before `end`; a rate that was set before is set at 0 h."""
    rates = schedules.kind == Kind.RATE
    time = np.where(rates, np.maximum(schedules.time, 0.0), schedules.time)
    kept = (time >= 0) & (time < end)
    counted = np.append(0, np.cumsum(kept))
    columns = (column[kept] for column in (time, schedules.kind, schedules.index, schedules.value))
    return Schedules(counted[schedules.first], counted[schedules.last], *columns)
