"""Records with SS: the cycle that they stand for, and the state that it has led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.engine.choose import SolverName
from ldnsim.engine.cycles import Cycles
from ldnsim.engine.events import Kind
from ldnsim.engine.orbit import DAY
from ldnsim.engine.schedules import Schedules, no_events
from ldnsim.engine.steady import Steady, common_cycle, steady_states
from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError
from ldnsim.simulation.nonmem.columns import place_of
from ldnsim.simulation.nonmem.delivery import Deliveries, arrivals
from ldnsim.simulation.nonmem.episodes import schedules_from
from ldnsim.simulation.nonmem.infusions import total_rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.model.system import System
    from ldnsim.simulation.nonmem.event_table import Records

__all__ = ["baselines", "steady_records"]

EXPECTED = "an interval that meets the 24 h of a day again within 366 doses"


def steady_records(
    system: System,
    records: Records,
    deliveries: Deliveries,
    rows: np.ndarray,
    outputs: Sequence[str],
    solver: SolverName,
) -> Steady:
    """What each of the SS records (rows, ascending) stands for: the state just before its own dose.

    Raises LdnsimError where an interval and the clock in the equations have no common cycle.
    """
    period = _periods(system, rows, records.interval[records.steady > 0])
    schedules = _cycle_events(deliveries.of(deliveries.steady > 0), rows, records.time, period)
    cycles = Cycles(records.parameters(rows), schedules, records.time[rows], period)
    return steady_states(system, cycles, outputs=outputs, solver=solver)


def baselines(system: System, records: Records, rows: np.ndarray, outputs: Sequence[str], solver: SolverName) -> Steady:
    """The drug-free state at the time of each record."""
    days = np.full(len(rows), DAY)
    cycles = Cycles(records.parameters(rows), no_events(len(rows)), records.time[rows], days)
    return steady_states(system, cycles, outputs=outputs, solver=solver)


def _periods(system: System, rows: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    intervals = np.where(intervals > 0, intervals, DAY)  # a constant infusion: any cycle
    distinct, which = np.unique(intervals, return_inverse=True)
    periods = np.array([common_cycle(system, interval) or np.nan for interval in distinct.tolist()])[which]
    without = np.flatnonzero(np.isnan(periods))
    if len(without):
        what = "no steady state in a model that follows the clock"
        raise LdnsimError(
            Fault(f"an interval of {intervals[place]:g} h has {what}", place_of(int(rows[place]), "II"), EXPECTED)
            for place in without[:MOST_FAULTS].tolist()
        )
    return periods


def _cycle_events(deliveries: Deliveries, rows: np.ndarray, time: np.ndarray, period: np.ndarray) -> Schedules:
    """One cycle from each record's time on."""
    which = np.searchsorted(rows, deliveries.row)
    length = period[which]
    endless = np.isinf(deliveries.length)
    repeats = np.where(endless, 0.0, np.rint(length / np.where(deliveries.interval > 0, deliveries.interval, 1.0)))
    whole = Deliveries(**{**vars(deliveries), "more": repeats})  # as many as the cycle holds, and those from before
    number, after = arrivals(whole, length)
    inside = after < length[number]
    number, after = number[inside], after[inside]
    begin = time[deliveries.row]
    run = deliveries.infused[number]
    added, running, constant = number[~run], number[run], np.flatnonzero(endless & deliveries.infused)
    groups = np.concatenate([which[running], which[constant]])
    starts = np.concatenate([np.maximum(after[run], 0.0), np.zeros(len(constant))])
    stops = np.concatenate([after[run] + deliveries.length[running], np.full(len(constant), np.inf)])
    kept = stops > starts
    into = np.concatenate([deliveries.state[running], deliveries.state[constant]])
    rates = np.concatenate([deliveries.rate[running], deliveries.rate[constant]])
    group, state, at, total = total_rates(*(column[kept] for column in (groups, into, starts, stops, rates)))
    ended = np.isfinite(at)
    group, state, at, total = (column[ended] for column in (group, state, at, total))
    return schedules_from(
        len(rows),
        np.concatenate([which[added], group]),
        np.concatenate([begin[added] + after[~run], time[rows][group] + at]),
        np.repeat([Kind.ADD, Kind.RATE], [len(added), len(group)]),
        np.concatenate([deliveries.state[added], state]),
        np.concatenate([deliveries.amount[added], total]),
    )
