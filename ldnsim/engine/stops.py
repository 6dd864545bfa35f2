"""Where conditions on the time change, person by person, and the schedules that say so.

The changes are looked for with interval arithmetic, so that none is passed over: a stretch of time is halved until the
condition cannot change within it, or can change only once; then halving finds the change to the last bit. What changes
there and back within 1e-9 h (4 microseconds) may count as unchanged. Conditions that repeat every 24 h are looked at
for one day. Nothing depends on the solver's steps, on samples, or on the company that a person is solved in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ldnsim.engine.compiler.graph import DAY
from ldnsim.engine.events import Kind
from ldnsim.engine.grids import stretches
from ldnsim.engine.intervals import narrowed, spans, values
from ldnsim.engine.schedules import Schedules
from ldnsim.engine.switches import Condition, Switched, switched

if TYPE_CHECKING:
    from ldnsim.engine.compiler.graph import Node
    from ldnsim.model.system import System

__all__ = ["Stopping", "with_stops"]

FINEST = 1e-9  # h
SAME = 8  # roundings: times as close as that are one
MOST_HALVINGS = 100_000  # for one condition of one person: about 10,000 changes
AT_ONCE = 100_000  # stretches, to bound memory
FINAL_HALVINGS = 100  # from any run to a rounding

COMPARE = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}


class Stopping(NamedTuple):
    """What a solver solves instead: the system, parameters and schedules with conditions as parameters that events set.
    unresolved: person -> why a condition's changes cannot be found.
    """

    system: System
    parameters: np.ndarray
    schedules: Schedules
    unresolved: dict[int, str]


class Stretches(NamedTuple):
    """What conditions are in which stretch of time: of run `run`, ascending, from start to end (h), all of shape
    (stretches,). given: the values of the parameters that conditions look at and of the conditions known so far
    (stretches, parameters + conditions).
    """

    run: np.ndarray
    start: np.ndarray
    end: np.ndarray
    given: np.ndarray


class ConditionChanges(NamedTuple):
    """Events of runs: those of run i from first[i] up to last[i], ascending; a condition (its number) takes a value.
    before (runs, conditions): the values from the run's start on.
    """

    first: np.ndarray
    last: np.ndarray
    time: np.ndarray
    condition: np.ndarray
    value: np.ndarray
    before: np.ndarray


def with_stops(
    system: System, parameters: np.ndarray, schedules: Schedules, start: np.ndarray, end: np.ndarray
) -> Stopping:
    """Solve this instead, from start to end (people,), h: no condition on the time then changes within a step.

    Everything comes back as it is, without any work, where there is no such condition or nobody to solve.
    """
    known = switched(system)
    if known is None or not len(parameters):
        return Stopping(system, parameters, schedules, {})
    run, changes, unresolved = _changes(known, parameters, schedules, start, end)
    merged = _merged(schedules, run, changes, len(system.parameters))
    named = (
        {person: unresolved[number] for person, number in enumerate(run.tolist()) if number in unresolved}
        if unresolved
        else {}
    )
    return Stopping(known.system, np.column_stack([parameters, changes.before[run]]), merged, named)


def _changes(
    known: Switched, parameters: np.ndarray, schedules: Schedules, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, ConditionChanges, dict[int, str]]:
    """The run of each person (people who share one have all that matters in common), the runs' changes, and runs that
    are unresolved.
    """
    looked_at = parameters[:, list(known.parameters)]
    sets = (schedules.kind == Kind.SET) & np.isin(schedules.index, known.parameters)
    counted = np.append(0, np.cumsum(sets))
    own = counted[schedules.last] > counted[schedules.first]  # whose parameters change on the way
    schedule = np.where(own[:, None], np.column_stack([schedules.first, schedules.last]), -1)
    key = np.column_stack([looked_at, start, end, schedule])
    run, example = _distinct(key)
    if known.daily and not own.any():
        day, of_day = _distinct(looked_at[example])
        whole = np.arange(len(of_day))
        course = Stretches(whole, np.zeros(len(whole)), np.full(len(whole), DAY), looked_at[example][of_day])
        course, unresolved = _followed(known, course)
        changes = _every_day(_changes_between(course, len(whole), known), course, day, start[example], end[example])
        return run, changes, {number: unresolved[of] for number, of in enumerate(day.tolist()) if of in unresolved}
    course, unresolved = _followed(known, _begun(known, looked_at, schedules, sets, start, end, example))
    return run, _changes_between(course, len(example), known), unresolved


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row among the distinct ones, and a row of each: (rows,), (distinct,)."""
    if not rows.size or np.all(rows == rows[0]):
        return np.zeros(len(rows), np.int64), np.zeros(1, np.int64)
    _, example, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return number.reshape(-1), example


def _begun(
    known: Switched,
    looked_at: np.ndarray,
    schedules: Schedules,
    sets: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    example: np.ndarray,
) -> Stretches:
    """The runs' stretches between changes of the parameters that conditions look at."""
    place = {parameter: number for number, parameter in enumerate(known.parameters)}
    rows: list[tuple[int, float, float, np.ndarray]] = []
    for number, person in enumerate(example.tolist()):
        events = np.arange(schedules.first[person], schedules.last[person])
        given, begin, final = looked_at[person].copy(), float(start[person]), float(end[person])
        for event in events[sets[events]].tolist():
            time = float(schedules.time[event])
            if begin < time < final:
                rows.append((number, begin, time, given.copy()))
                begin = time
            if time < final:
                given[place[int(schedules.index[event])]] = schedules.value[event]
        rows.append((number, begin, final, given))
    run, begins, ends, given_values = zip(*rows, strict=True)
    return Stretches(np.array(run), np.array(begins), np.array(ends), np.array(given_values).reshape(len(rows), -1))


def _followed(known: Switched, course: Stretches) -> tuple[Stretches, dict[int, str]]:
    """The course with every condition, and the runs that are unresolved."""
    unresolved: dict[int, str] = {}
    for condition in known.conditions:
        stretch, at, given_up = _found(known, condition, course)
        for number in given_up:
            reason = f"a comparison on the time in {condition.equation} changes too often for each change to be found"
            unresolved.setdefault(number, reason)
        course = _cut(course, stretch, at)
        middle = course.start + 0.5 * (course.end - course.start)
        holds = _holds(known, condition, middle, course.given)
        course = course._replace(given=np.column_stack([course.given, holds]))
    return course, unresolved


def _given(known: Switched, given: np.ndarray) -> dict[Node, np.ndarray]:
    """The nodes of parameters and earlier conditions, and their values."""
    first = len(known.system.parameters) - len(known.conditions)
    found = given.shape[1] - len(known.parameters)
    places = [*known.parameters, *range(first, first + found)]
    columns = np.ascontiguousarray(given.T)
    return {known.graph.node("p", place): column for place, column in zip(places, columns, strict=True)}


def _holds(known: Switched, condition: Condition, time: np.ndarray, given: np.ndarray) -> np.ndarray:
    (difference,) = values(known.graph, [condition.difference], time, _given(known, given))
    return np.asarray(COMPARE[condition.operation](difference, 0.0))


def _found(known: Switched, condition: Condition, course: Stretches) -> tuple[np.ndarray, np.ndarray, set[int]]:
    """(stretch, time) of each change of a condition, and runs in which there are too many."""
    stretch = np.flatnonzero(course.start < course.end)
    waiting = [(stretch, course.start[stretch], course.end[stretch])]
    halvings = np.zeros(int(course.run.max()) + 1, np.int64)
    found: list[tuple[np.ndarray, np.ndarray]] = []
    while waiting:
        stretch, low, high = waiting.pop()
        if len(stretch) > AT_ONCE:
            waiting.append((stretch[AT_ONCE:], low[AT_ONCE:], high[AT_ONCE:]))
            stretch, low, high = stretch[:AT_ONCE], low[:AT_ONCE], high[:AT_ONCE]
        constant, once = _decided(known, condition, low, high, course.given[stretch])
        once |= high - low <= np.maximum(FINEST, SAME * np.spacing(np.maximum(np.abs(low), np.abs(high))))
        single = ~constant & once
        found.append(_changed(known, condition, course.given, stretch[single], low[single], high[single]))
        again = ~constant & ~once
        np.add.at(halvings, course.run[stretch[again]], 1)
        again &= halvings[course.run[stretch]] <= MOST_HALVINGS
        stretch, low, high = stretch[again], low[again], high[again]
        middle = low + 0.5 * (high - low)
        if len(stretch):
            halves = np.concatenate([low, middle]), np.concatenate([middle, high])
            waiting.append((np.tile(stretch, 2), *halves))
    which, at = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return which, at, set(np.flatnonzero(halvings > MOST_HALVINGS).tolist())


def _decided(
    known: Switched, condition: Condition, low: np.ndarray, high: np.ndarray, given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the condition cannot change from low to high, and whether it can change only once."""
    nodes = _given(known, given)
    difference, slope = spans(known.graph, [condition.difference, condition.slope], low, high, nodes)
    middle = low + 0.5 * (high - low)
    (centre,) = spans(known.graph, [condition.difference], middle, middle, nodes)
    difference = narrowed(difference, centre, slope, high - low)
    match condition.operation:
        case "lt":
            constant = (difference.high < 0) | (difference.low >= 0)
        case "le":
            constant = (difference.high <= 0) | (difference.low > 0)
        case "gt":
            constant = (difference.low > 0) | (difference.high <= 0)
        case _:
            constant = (difference.low >= 0) | (difference.high < 0)
    constant |= np.isnan(difference.low)  # no value, and so false, all through
    one_way = slope.sure & ((slope.low >= 0) | (slope.high <= 0))
    return difference.sure & constant, difference.sure & one_way


def _changed(
    known: Switched, condition: Condition, given: np.ndarray, stretch: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(stretch, time) where a condition at high differs from that at low: the first number at which it does, or the
    one before it where the two sides are equal there.
    """
    rows = given[stretch]
    before = _holds(known, condition, low, rows)
    changes = before != _holds(known, condition, high, rows)
    stretch, low, high, before, rows = (array[changes] for array in (stretch, low, high, before, rows))
    for _ in range(FINAL_HALVINGS):
        middle = low + 0.5 * (high - low)
        if not len(middle) or np.all((middle <= low) | (middle >= high)):
            break
        same = _holds(known, condition, middle, rows) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    (difference,) = values(known.graph, [condition.difference], low, _given(known, rows))
    return stretch, np.where(difference == 0, low, high)


def _near(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(a - b) <= SAME * np.spacing(np.maximum(np.abs(a), np.abs(b))))


def _cut(course: Stretches, stretch: np.ndarray, at: np.ndarray) -> Stretches:
    """The stretches cut in two at some times; not at their very ends, nor twice at one time."""
    order = np.lexsort((at, stretch))
    stretch, at = stretch[order], at[order]
    start, end = course.start[stretch], course.end[stretch]
    kept = (at > start) & (at < end) & ~_near(at, start) & ~_near(at, end)
    stretch, at = stretch[kept], at[kept]
    fresh = np.ones(len(at), bool)
    fresh[1:] = (stretch[1:] != stretch[:-1]) | ~_near(at[1:], at[:-1])
    stretch, at = stretch[fresh], at[fresh]
    whole = np.arange(len(course.run))
    owner = np.concatenate([whole, stretch])
    start = np.concatenate([course.start, at])
    order = np.lexsort((start, owner))
    owner, start = owner[order], start[order]
    end = course.end[owner]
    inside = np.flatnonzero(owner[1:] == owner[:-1])
    end[inside] = start[inside + 1]
    return Stretches(course.run[owner], start, end, course.given[owner])


def _changes_between(course: Stretches, runs: int, known: Switched) -> ConditionChanges:
    """The changes from each stretch to the next one of its run."""
    state = course.given[:, len(known.parameters) :]
    opens = np.append(True, course.run[1:] != course.run[:-1])
    previous = np.where(opens[:, None], state, np.roll(state, 1, axis=0))
    stretch, index = np.nonzero(state != previous)
    last = np.cumsum(np.bincount(course.run[stretch], minlength=runs))
    first = np.append(0, last[:-1])
    return ConditionChanges(first, last, course.start[stretch], index, state[stretch, index], state[opens])


def _every_day(
    changes: ConditionChanges, course: Stretches, day: np.ndarray, start: np.ndarray, end: np.ndarray
) -> ConditionChanges:
    """Changes of days, repeated from start to end (runs,), h; run i has those of day[i]."""
    days = len(changes.first)
    conditions = changes.before.shape[1]
    closes = np.append(np.flatnonzero(course.run[1:] != course.run[:-1]), len(course.run) - 1)
    ends = course.given[closes][:, course.given.shape[1] - conditions :]
    turned, index = np.nonzero(ends != changes.before)  # at midnight
    owner = np.concatenate([turned, np.repeat(np.arange(days), changes.last - changes.first)])
    clock = np.concatenate([np.zeros(len(turned)), changes.time])
    index = np.concatenate([index, changes.condition])
    value = np.concatenate([changes.before[turned, index[: len(turned)]], changes.value])
    order = np.argsort(owner, kind="stable")
    clock, index, value = clock[order], index[order], value[order]
    last = np.cumsum(np.bincount(owner, minlength=days))
    first = last - np.bincount(owner, minlength=days)
    # the day before the first one, too: what it sets holds at the start
    from_day, to_day = np.floor(start / DAY) - 1, np.floor(end / DAY)
    number = (to_day - from_day + 1).astype(np.int64)
    run = np.repeat(np.arange(len(start)), number)
    when = (stretches(np.zeros(len(start), np.int64), number) + from_day[run]) * DAY
    counts = (last - first)[day[run]]
    source = stretches(first[day[run]], counts)
    run = np.repeat(run, counts)
    time, index, value = np.repeat(when, counts) + clock[source], index[source], value[source]
    before = changes.before[day]
    past = (time <= start[run]) | _near(time, start[run])
    before[run[past], index[past]] = value[past]  # ascending: the last one counts
    kept = ~past & (time < end[run])
    run, time, index, value = run[kept], time[kept], index[kept], value[kept]
    last = np.cumsum(np.bincount(run, minlength=len(start)))
    return ConditionChanges(np.append(0, last[:-1]), last, time, index, value, before)


def _merged(schedules: Schedules, run: np.ndarray, changes: ConditionChanges, parameters: int) -> Schedules:
    """Schedules with the changes of each person's run. A change at an event's time, to rounding, is at that time."""
    pair, example = _distinct(np.column_stack([run, schedules.first, schedules.last]))
    given, extra = schedules.of(example), run[example]
    counts = given.last - given.first
    events = stretches(given.first, counts)
    more = changes.last[extra] - changes.first[extra]
    source = stretches(changes.first[extra], more)
    number = np.arange(len(example))
    owner = np.concatenate([np.repeat(number, counts), np.repeat(number, more)])
    time = np.concatenate([schedules.time[events], changes.time[source]])
    stops = np.arange(len(time)) >= len(events)
    time = _at_events(owner, time, stops)
    order = np.lexsort((stops, time, owner))
    columns = (
        time,
        np.concatenate([schedules.kind[events], np.full(len(source), int(Kind.SET))]),
        np.concatenate([schedules.index[events], changes.condition[source] + parameters]),
        np.concatenate([schedules.value[events], changes.value[source]]),
    )
    last = np.cumsum(counts + more)
    return Schedules((last - counts - more)[pair], last[pair], *(column[order] for column in columns))


def _at_events(owner: np.ndarray, time: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """The times, with stops moved to the event of the same owner that is at their time, to rounding."""
    order = np.lexsort((time, owner))
    place = np.arange(len(order))
    is_event = ~stops[order]
    earlier = np.maximum.accumulate(np.where(is_event, place, -1))
    later = np.minimum.accumulate(np.where(is_event, place, len(order))[::-1])[::-1]
    found = time.copy()
    for neighbour in (earlier, later):
        exists = (neighbour >= 0) & (neighbour < len(order)) & stops[order]
        stop, event = order[exists], order[neighbour[exists]]
        same = (owner[stop] == owner[event]) & _near(time[stop], time[event])
        found[stop[same]] = time[event[same]]
    return found
