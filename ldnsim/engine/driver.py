"""The driver: people wait in a queue, each lane takes one, walks it through its events and outputs, and takes the next.

Lanes are asynchronous: every lane has its own time, step, events and samples, so that what a person gets depends
neither on the neighbours nor on the lane. Written in the words of `lanes`: `translate` compiles this very text, and it
also runs as it is, in plain Python, as its own reference. `m` is the `program.Program`: row numbers and kernels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.engine.events import Kind, Status
from ldnsim.engine.guard import SHORTEST, allowed_share
from ldnsim.engine.job import (
    CALLED,
    CODE,
    EVENT,
    FIRST,
    FREE,
    FRESH,
    LAST,
    NEVER,
    PERSON,
    PIECE,
    RESTING,
    SAMPLE,
    SHIFT,
    TRIES,
    Job,
)
from ldnsim.engine.lanes import (
    Rows,
    RowsOfInts,
    Vector,
    absolute,
    any_lane,
    fma,
    gather,
    scatter,
    take,
    where,
)
from ldnsim.engine.record import await_window, record_passed
from ldnsim.engine.step import attempt, interpolate, inverse_tenth_root, mean_square_error, prepare_interpolation

if TYPE_CHECKING:
    from ldnsim.engine.program import Program

__all__ = ["drive"]

NOT_FINITE, TOO_MANY_STEPS, STEP_TOO_SMALL = (
    int(Status.NOT_FINITE),
    int(Status.TOO_MANY_STEPS),
    int(Status.STEP_TOO_SMALL),
)
ADD, RATE, SET, RESET = int(Kind.ADD), int(Kind.RATE), int(Kind.SET), int(Kind.RESET)

FIRST_STEP = 1e-2  # h, tried at a person's start
SAFETY, MOST_SHRINK, MOST_GROWTH = 0.9, 0.2, 6.0
SHRINK_NOT_FINITE = 0.1
SMALLEST_STEP = 1e-14  # of the time reached: below, a step would be lost in its rounding
SMALLEST_AT_ZERO = 1e-17  # h


def drive(m: Program, job: Job, w: Rows, own: RowsOfInts) -> None:
    """Solve people from the queue until it is empty. w (m.count, lanes) and own (OWN_ROWS, lanes): room to work in,
    zeros.
    """
    own[PERSON] = own[PERSON] + FREE
    while any_lane(own[PERSON] > RESTING):
        while any_lane(calls(m, w, own)):
            own[CALLED] = where(calls(m, w, own), 1, 0)
            seat(m, job, w, own)
            m.prepare(w)
            show_start(m, job, w, own)
            happen(m, job, w, own)
            m.prepare(w)  # an event may have set a parameter
        attempt(m, w)
        judge(m, job, w, own)


def calls(m: Program, w: Rows, own: RowsOfInts) -> Vector:
    """Lanes that need something other than a step: a person, an event, an end."""
    return (own[PERSON] == FREE) | ((own[PERSON] >= 0) & ((w[m.time] >= w[m.stop]) | (own[CODE] > 0)))


def seat(m: Program, job: Job, w: Rows, own: RowsOfInts) -> None:
    """Lanes whose person is done write down how it ended and take the next one."""
    lane: int = 0
    while lane < m.width:
        if own[CALLED, lane] > 0:
            person = own[PERSON, lane]
            if person >= 0 and (own[CODE, lane] > 0 or own[SAMPLE, lane] >= own[LAST, lane]):
                job.status[person] = own[CODE, lane]
                job.tries[person] = own[TRIES, lane]
                job.pieces[person] = own[PIECE, lane] - job.first_piece[person]
                i: int = 0
                while i < m.states:
                    job.ends[person * m.states + i] = w[m.y + i, lane]
                    i += 1
                own[PERSON, lane] = FREE
            if own[PERSON, lane] == FREE:
                begin(m, job, take(job.queue), lane, w, own)
        lane += 1


def begin(m: Program, job: Job, person: int, lane: int, w: Rows, own: RowsOfInts) -> None:
    """A new person in a lane: all that its run depends on is set here."""
    if person < job.people:
        own[PERSON, lane] = person
        own[EVENT, lane] = job.first_event[person]
        first = job.first_time[person]
        own[FIRST, lane] = first
        own[SAMPLE, lane] = first
        own[LAST, lane] = job.last_time[person]
        own[SHIFT, lane] = job.place[person] - first
        for row in (TRIES, CODE):
            own[row, lane] = 0
        i: int = 0
        while i < m.states:
            w[m.y + i, lane] = job.initial[person * m.states + i]
            w[m.rate + i, lane] = 0.0
            i += 1
        i = 0
        while i < m.parameters:
            w[m.p + i, lane] = job.parameters[person * m.parameters + i]
            i += 1
        w[m.time, lane] = job.times[first]
        w[m.next_sample, lane] = job.times[first]
        w[m.restart, lane] = FIRST_STEP
        await_window(m, job, person, lane, w, own)
    else:
        own[PERSON, lane] = RESTING


def show_start(m: Program, job: Job, w: Rows, own: RowsOfInts) -> None:
    """The first sample, at the start, before any event."""
    w[m.at] = w[m.time]
    for state, (row, _) in m.observed.items():
        w[row] = w[m.y + state]
    show(m, job, (own[CALLED] > 0) & (own[PERSON] >= 0) & (own[SAMPLE] == own[FIRST]), w, own)


def happen(m: Program, job: Job, w: Rows, own: RowsOfInts) -> None:
    """Lanes that stand at an event let it happen and set out for the next, with the step that suited the last one."""
    lane: int = 0
    while lane < m.width:
        if own[CALLED, lane] > 0 and own[PERSON, lane] >= 0:
            last = job.last_event[own[PERSON, lane]]
            event: int = own[EVENT, lane]
            while event < last and job.event_time[event] <= w[m.time, lane]:
                change(m, job, event, lane, w)
                event += 1
            own[EVENT, lane] = event
            own[FRESH, lane] = 1
            w[m.proposed, lane] = w[m.restart, lane]
            w[m.stop, lane] = job.times[own[LAST, lane] - 1]
            if event < last and job.event_time[event] < w[m.stop, lane]:
                w[m.stop, lane] = job.event_time[event]
        lane += 1


def change(m: Program, job: Job, event: int, lane: int, w: Rows) -> None:
    kind, index, value = job.event_kind[event], job.event_index[event], job.event_value[event]
    if kind == ADD:
        w[m.y + index, lane] += value
    if kind == RATE:
        w[m.rate + index, lane] = value
    if kind == SET:
        w[m.p + index, lane] = value
    if kind == RESET:
        i: int = 0
        while i < m.states:
            w[m.y + i, lane] = job.home[i]
            w[m.rate + i, lane] = 0.0
            i += 1


def judge(m: Program, job: Job, w: Rows, own: RowsOfInts) -> None:
    """Accept or reject the step in each lane, write what it passed, and choose the next step."""
    error = mean_square_error(m, job.rtol, job.tolerance, w)
    awake = (own[PERSON] >= 0) & (own[CODE] == 0)
    accepted = awake & (error <= 1.0)
    rejected = awake & ~(error <= 1.0)
    share = 1.0
    if m.guards > 0:
        share = allowed_share(m, w)
        accepted = accepted & ((share >= 1.0) | (w[m.h] <= SHORTEST))
    arrives = w[m.proposed] >= w[m.stop] - w[m.time]
    reached = where(arrives, w[m.stop], w[m.time] + w[m.h])
    look_back(m, job, accepted, reached, w, own)

    finite = error < NEVER  # false for NaN
    factor = SAFETY * inverse_tenth_root(error)
    factor = where(factor < MOST_SHRINK, MOST_SHRINK, where(factor > MOST_GROWTH, MOST_GROWTH, factor))
    proposed = w[m.h] * where(finite, factor, SHRINK_NOT_FINITE)
    if m.guards > 0:
        proposed = where(awake & ~accepted & (error <= 1.0), share * w[m.h], proposed)
    w[m.proposed] = proposed
    w[m.restart] = where(accepted & (own[FRESH] > 0), proposed, w[m.restart])
    own[FRESH] = where(accepted, 0, own[FRESH])
    i: int = 0
    while i < m.states:
        w[m.y + i] = where(accepted, w[m.y1 + i], w[m.y + i])
        i += 1
    w[m.time] = where(accepted, reached, w[m.time])
    own[TRIES] += where(awake, 1, 0)
    stuck = rejected & (proposed < fma(SMALLEST_STEP, absolute(w[m.time]), SMALLEST_AT_ZERO))
    own[CODE] = where(stuck, where(finite, STEP_TOO_SMALL, NOT_FINITE), own[CODE])
    own[CODE] = where(awake & (own[TRIES] >= job.most_tries) & (own[CODE] == 0), TOO_MANY_STEPS, own[CODE])


def look_back(m: Program, job: Job, accepted: Vector, reached: Vector, w: Rows, own: RowsOfInts) -> None:
    """What is wanted of the accepted steps, from time to reached: samples and pieces."""
    if any_lane(accepted & ((w[m.next_sample] <= reached) | (w[m.next_piece] < reached))):
        prepare_interpolation(m, w)
        show_passed(m, job, accepted, reached, w, own)
        record_passed(m, job, accepted, reached, w, own)


def show_passed(m: Program, job: Job, accepted: Vector, reached: Vector, w: Rows, own: RowsOfInts) -> None:
    """Outputs at the sample times in (time, reached]."""
    while any_lane(accepted & (w[m.next_sample] <= reached)):
        w[m.at] = w[m.next_sample]
        interpolate(m, w, (w[m.at] - w[m.time]) * w[m.inverse_h])
        show(m, job, accepted & (w[m.next_sample] <= reached), w, own)


def show(m: Program, job: Job, mask: Vector, w: Rows, own: RowsOfInts) -> None:
    """Write the outputs of the lanes in the mask, and look for their next sample."""
    m.observe(w)
    place = own[SAMPLE] + own[SHIFT]
    for output in range(m.outputs):
        found = w[m.o + output]
        scatter(job.values, place + output * job.shown, mask, found)
        own[CODE] = where(mask & ~(absolute(found) < NEVER), NOT_FINITE, own[CODE])
    following = where(mask, own[SAMPLE] + 1, own[SAMPLE])
    own[SAMPLE] = following
    more = following < own[LAST]
    time = gather(job.times, where(more, following, 0))
    w[m.next_sample] = where(more, time, NEVER)
