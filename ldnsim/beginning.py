"""Runs that start in the steady state of their regimen: the state at midnight of day 1, and the doses on their way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.dosing import planned_doses
from ldnsim.engine.cycles import Cycles
from ldnsim.engine.events import Event, Kind
from ldnsim.engine.rhythm import ignores_time, repeats_daily
from ldnsim.engine.schedules import pack
from ldnsim.engine.steady import Steady, steady_states
from ldnsim.errors import LdnsimError
from ldnsim.repeats import cycle_of
from ldnsim.schedule import schedules_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.dosing import Arm, Dose
    from ldnsim.engine.choose import SolverName
    from ldnsim.model import Model
    from ldnsim.system import System

__all__ = ["Beginning", "begin_steady"]


class Beginning(NamedTuple):
    """Of one arm: the steady state of each person at 0 h, and the schedules of the run from there."""

    steady: Steady
    schedules: list[tuple[Event, ...]]


def begin_steady(
    arm: Arm,
    taken: Sequence[tuple[Dose, ...]],
    start_day: str,
    model: Model,
    system: System,
    parameters: np.ndarray,
    *,
    outputs: Sequence[str],
    solver: SolverName,
) -> Beginning:
    """`taken` has the run's doses of each person, `parameters` (people, parameters) their values.

    Doses before day 1 that are still on their way, and infusions that run, go on in the run. Raises LdnsimError for
    equations that do not repeat every day.
    """
    if not ignores_time(system) and not repeats_daily(system, ()):
        raise LdnsimError("The model does not repeat every day: it has no steady state to start in.")
    cycle = cycle_of(arm)
    planned = planned_doses(arm, cycle, start_day)
    lags = [model.inputs[dose.input].lag for dose in planned]
    latest = max((parameters[:, system.parameters.index(lag)].max() for lag in lags if lag), default=0.0)
    before = math.ceil((latest + max((dose.infuse for dose in planned), default=0.0)) / cycle)
    earlier = tuple(
        dose._replace(time=dose.time - number * cycle) for number in range(before, 0, -1) for dose in planned
    )
    people = len(parameters)
    whole = schedules_of([earlier + planned] * people, model, system, parameters)
    start, period = np.zeros(people), np.full(people, cycle)
    cycles = Cycles(parameters, pack(_each(whole, cycle)), start, period)
    steady = steady_states(system, cycles, outputs=outputs, solver=solver)
    extended = {id(doses): earlier + doses for doses in {id(doses): doses for doses in taken}.values()}
    run = schedules_of([extended[id(doses)] for doses in taken], model, system, parameters)
    return Beginning(steady, _each(run, math.inf))


def _each(schedules: Sequence[tuple[Event, ...]], end: float) -> list[tuple[Event, ...]]:
    """What of each schedule happens from 0 h on and before `end`; one tuple stays one."""
    cut = {id(schedule): _from_midnight(schedule, end) for schedule in {id(s): s for s in schedules}.values()}
    return [cut[id(schedule)] for schedule in schedules]


def _from_midnight(schedule: tuple[Event, ...], end: float) -> tuple[Event, ...]:
    rates = {event.index: event.value for event in schedule if event.kind == Kind.RATE and event.time <= 0}
    running = [Event(0.0, Kind.RATE, index, rate) for index, rate in sorted(rates.items()) if rate]
    later = [event for event in schedule if 0 <= event.time < end and (event.kind != Kind.RATE or event.time > 0)]
    return tuple(sorted([*running, *later], key=lambda event: (event.time, event.kind, event.index)))
