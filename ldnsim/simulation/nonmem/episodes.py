"""Records -> episodes for the engine: stretches of an individual's time that nothing breaks.

What records mean:

- *Reset* (EVID 3, 4) begins a new episode on the drug-free orbit at that clock time, as an individual's first record
  does: in a model without endogenous parts every state is then at its initial value. What an earlier record had still
  on its way is cancelled: lagged and additional doses, and infusions. NONMEM lets time start anew at a reset, so
  that nothing can be pending; mrgsolve empties the states, but lets doses already scheduled by ADDL come.
- *SS 1* begins a new episode in the steady state, and cancels the same (so NONMEM; EVID 4 with SS 1 is no other).
  *SS 2* adds to what is there the difference between steady state and drug-free state: in a model without endogenous
  parts NONMEM's superposition, and in one with them no second helping of what the body makes itself.
- *Lag with SS* shifts the whole train of implied doses. With a lag longer than the interval several of them are on
  their way at the record; they come, each in its turn, and an infusion that runs runs on. NONMEM has the same below
  one interval; at or above it holds the phase at the peak (as measured with 7.6 by others, FeRx-NLME/ferx-core pull
  request 1125), and mrgsolve refuses lagged infusions that long.
- *Constant infusion* (SS, AMT 0, RATE above 0, no II): the state that it has led to. It has ended with the record.
- *Records at one time* happen in the order of the data set: a row shows the state after its own dose, and before what
  stands further down. Doses that come by ADDL or lag at the time of a record come before it (NONMEM, mrgsolve).
- *Bioavailability* scales an infusion's duration where RATE is given (or modelled, -1), and its rate where the duration
  is modelled (-2); as NONMEM, mrgsolve and rxode2. The rate of a constant infusion stays as given.
- *Values that change* hold over the interval that ends at their record. A dose meets the values of its own record,
  and so do its additional doses (NONMEM says so of the lag; mrgsolve looks up the bioavailability anew at each).

Records at one time are told apart by moving the later ones by the smallest steps that the clock has (1e-16 of it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.engine.events import Kind
from ldnsim.engine.grids import Grids
from ldnsim.engine.orbit import DAY
from ldnsim.engine.schedules import Schedules
from ldnsim.foundation.errors import LdnsimError
from ldnsim.simulation.nonmem.columns import faults_at
from ldnsim.simulation.nonmem.delivery import Deliveries, arrivals
from ldnsim.simulation.nonmem.infusions import total_rates

if TYPE_CHECKING:
    from ldnsim.simulation.nonmem.event_table import Records

__all__ = ["Episodes", "episodes_of", "events_of", "schedules_from"]

SAME = 8  # roundings: times that are as close as that are one
FINEST = 1e-3  # h; times around 0 are told apart in the roundings of this one


class Arrivals(NamedTuple):
    """Arrays (arrivals,): number of the delivery; hours after its record; the row that it comes just before (the
    episode's end where there is none); whether it comes at that row's very time.
    """

    delivery: np.ndarray
    after: np.ndarray
    row: np.ndarray
    meets: np.ndarray


@dataclass(frozen=True)
class Episodes:
    """Arrays (episodes,): first row; origin (h), when the individual is on the drug-free orbit. The engine begins
    there, or, where the first record has a steady state, with it. Arrays (rows,): episode; moment (h), when the row is
    looked at; sample, its place on `grids`.
    """

    first: np.ndarray
    origin: np.ndarray
    episode: np.ndarray
    moment: np.ndarray
    sample: np.ndarray
    grids: Grids
    arrivals: Arrivals


def episodes_of(records: Records, deliveries: Deliveries, *, repeats_daily: bool) -> Episodes:
    """The episodes of all individuals, and when each row is looked at.

    Where the equations repeat daily, an episode begins at midnight of its first day, else at 0 h.
    Raises LdnsimError for records that are so close that their order is lost in rounding.
    """
    time, person = records.time, records.person
    anew = records.reset.copy()
    anew[0] = True
    anew[1:] |= person[1:] != person[:-1]
    anew[records.row[records.steady == 1]] = True
    first = np.flatnonzero(anew)
    last = np.append(first[1:], len(time))
    episode = np.cumsum(anew) - 1
    midnight = np.floor(time[first] / DAY) * DAY
    origin = midnight if repeats_daily else np.minimum(0.0, midnight)
    start = origin.copy()
    in_steady_state = episode[records.row[records.steady == 1]]
    start[in_steady_state] = time[first[in_steady_state]]
    coming = _arrivals(records, deliveries, last[episode[deliveries.row]])
    moment = _moments(records, coming, ~deliveries.infused[coming.delivery] & coming.meets, anew)
    fresh = np.append(True, moment[1:] != moment[:-1])
    fresh[first] = moment[first] != start
    counted = np.cumsum(fresh)
    sample = episode + counted
    begins = np.arange(len(first)) + counted[first] - fresh[first]
    grid = np.empty(len(first) + int(counted[-1]))
    grid[begins] = start
    grid[sample[fresh]] = moment[fresh]
    grids = Grids(begins, np.append(begins[1:], len(grid)), grid)
    return Episodes(first, origin, episode, moment, sample, grids, coming)


def events_of(
    records: Records, deliveries: Deliveries, episodes: Episodes, leaps: tuple[np.ndarray, np.ndarray]
) -> Schedules:
    """Everything that happens in each episode. `leaps`: rows with SS 2, and what they add to the states (rows, states).

    What happens at a row's own time happens one step of the clock before the row is looked at.
    """
    delivery, after, before, meets = episodes.arrivals
    time, moment = records.time, episodes.moment
    row, run = deliveries.row[delivery], deliveries.infused[delivery]
    at = time[row] + after
    begin = np.maximum(at[run], time[row[run]])
    stop = at[run] + deliveries.length[delivery[run]]
    running, kept = delivery[run], stop > begin
    group, state, edge, total = total_rates(
        *(
            column[kept]
            for column in (episodes.episode[row[run]], deliveries.state[running], begin, stop, deliveries.rate[running])
        )
    )
    known = np.minimum(before, len(time) - 1)
    at = np.where(meets, _step_before(moment, time, known), np.maximum(at, moment[np.maximum(before - 1, 0)]))
    added = delivery[~run]
    pieces = [
        (episodes.episode[row[~run]], at[~run], Kind.ADD, deliveries.state[added], deliveries.amount[added]),
        (group, edge, Kind.RATE, state, total),
    ]
    some, into = np.nonzero(leaps[1])
    leaping = leaps[0][some]
    just_before = _step_before(moment, time, leaping)
    pieces.append((episodes.episode[leaping], just_before, Kind.ADD, into, leaps[1][some, into]))
    for parameter, known_values in records.values.items():
        changed = np.flatnonzero(known_values[1:] != known_values[:-1])
        changed = changed[episodes.episode[changed + 1] == episodes.episode[changed]]
        places = np.full(len(changed), parameter)
        pieces.append((episodes.episode[changed], moment[changed], Kind.SET, places, known_values[changed + 1]))
    kinds = np.repeat([int(piece[2]) for piece in pieces], [len(piece[0]) for piece in pieces])
    who, times, indices, values = (np.concatenate([piece[place] for piece in pieces]) for place in (0, 1, 3, 4))
    return schedules_from(len(episodes.first), who, times, kinds, indices, values)


def schedules_from(
    people: int, who: np.ndarray, time: np.ndarray, kind: np.ndarray, index: np.ndarray, value: np.ndarray
) -> Schedules:
    """Events (events,) in any order -> schedules; those of one person at one time keep theirs."""
    order = np.lexsort((time, who))
    ends = np.cumsum(np.bincount(who, minlength=people))
    columns = (np.ascontiguousarray(column[order]) for column in (time, kind.astype(np.int64), index, value))
    return Schedules(np.append(0, ends[:-1]), ends, *columns)


def _arrivals(records: Records, deliveries: Deliveries, end: np.ndarray) -> Arrivals:
    """All doses that come before their episode's end, a row (deliveries,), and where among the rows."""
    time = records.time
    delivery, after = arrivals(deliveries, time[end - 1] - time[deliveries.row])
    row, end, own = deliveries.row[delivery], end[delivery], after == 0
    at = time[row] + after
    close = SAME * np.spacing(np.maximum(np.abs(at), FINEST))
    low, high = np.where(own, row, np.minimum(row + 1, end)), np.where(own, row, end)
    while np.any(low < high):  # a binary search for all of them
        middle = (low + high) // 2
        earlier = (low < high) & (time[np.minimum(middle, len(time) - 1)] < at - close)
        low, high = np.where(earlier, middle + 1, low), np.where(earlier, high, np.minimum(middle, high))
    return Arrivals(delivery, after, low, own | ((low < end) & (time[np.minimum(low, len(time) - 1)] <= at + close)))


def _moments(records: Records, coming: Arrivals, at_once: np.ndarray, anew: np.ndarray) -> np.ndarray:
    """When each row is looked at (rows,): later than its time by a step of the clock for each thing that happens there
    before it: doses that add something, and parameters that change.
    """
    time = records.time
    same = np.append(False, time[1:] == time[:-1]) & ~anew
    happens = np.zeros(len(time), bool)
    happens[coming.row[at_once]] = True
    happens[records.row[records.steady == 2]] = True
    tied = np.flatnonzero(same)
    for values in records.values.values():
        happens[tied] |= values[tied] != values[tied - 1]
    if not happens.any():
        return time
    counted = np.cumsum(happens)
    before = np.where(same, 0, counted - happens)  # what happened at other times is counted no more
    behind = counted - np.maximum.accumulate(before)
    moment: np.ndarray = time + behind * np.spacing(np.maximum(np.abs(time), FINEST))
    apart = np.append(True, (moment[1:] > moment[:-1]) | (same[1:] & ~happens[1:] & (moment[1:] == moment[:-1])))
    if not np.all(apart | anew):
        message = "so many doses so close together that their order is lost in rounding"
        raise LdnsimError(faults_at(np.flatnonzero(~(apart | anew)), "TIME", message, "times further apart"))
    return moment


def _step_before(moment: np.ndarray, time: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows' moments, a step of the clock earlier; to the bit one of the moments that there are."""
    step = np.spacing(np.maximum(np.abs(time[rows]), FINEST))
    earlier: np.ndarray = time[rows] + (np.rint((moment[rows] - time[rows]) / step) - 1) * step
    return earlier
