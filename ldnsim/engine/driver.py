"""The driver: people wait in a queue, each lane takes one, walks it through its events and outputs, and takes the next.

Lanes are asynchronous: every lane has its own time, step, events and samples, so that what a person gets depends neither
on the neighbours nor on the lane. Written in the words of `lanes`: `translate` compiles this very text, and it also runs
as it is, in plain Python, as its own reference. `m` is the `program.Program` (or stands for it): row numbers and kernels.
"""

from __future__ import annotations

from ldnsim.engine.events import Kind, Status
from ldnsim.engine.lanes import (
    Floats,
    Ints,
    Rows,
    RowsOfInts,
    Vector,
    absolute,
    any_lane,
    bits,
    fma,
    from_bits,
    gather,
    scatter,
    take,
    where,
)
from ldnsim.engine.rodas5p import A, B, C, C_TIME, D, E, GAMMA, H, STAGES

__all__ = ["OWN_ROWS", "drive"]

# whole numbers that each lane keeps, as rows of `own`
PERSON, EVENT, LAST_EVENT, SAMPLE, TRIES, FRESH, CODE, CALLED = range(8)
OWN_ROWS = 8
FREE, RESTING = -1, -2  # instead of a person: wants one; the queue is empty

NOT_FINITE, TOO_MANY_STEPS, STEP_TOO_SMALL = int(Status.NOT_FINITE), int(Status.TOO_MANY_STEPS), int(Status.STEP_TOO_SMALL)
ADD, RATE, SET, RESET = int(Kind.ADD), int(Kind.RATE), int(Kind.SET), int(Kind.RESET)

NEVER = float("inf")
FIRST_STEP = 1e-2  # h, tried at a person's start
SAFETY, MOST_SHRINK, MOST_GROWTH = 0.9, 0.2, 6.0
SHRINK_NOT_FINITE = 0.1
SMALLEST_STEP = 1e-14  # of the time reached: below, a step would be lost in its rounding
SMALLEST_AT_ZERO = 1e-17  # h


def drive(m, people: int, queue: Ints, parameters: Floats, initial: Floats, home: Floats,
          first_event: Ints, last_event: Ints, event_time: Floats, event_kind: Ints, event_index: Ints, event_value: Floats,
          times: Floats, samples: int, rtol: float, tolerance: Floats, most_tries: int,
          values: Floats, ends: Floats, status: Ints, tries: Ints, w: Rows, own: RowsOfInts):  # fmt: skip
    """Solve people from the queue until it is empty.

    parameters (people * parameters), initial (people * states), home (states) is what a reset goes back to; the events of a
    person are first_event..last_event - 1 of the four event arrays; times (samples) ascending; tolerance (states) absolute.
    Results: values (outputs * people * samples), ends (people * states) at the last time, status, tries (people).
    w (m.count, lanes) and own (OWN_ROWS, lanes) are room to work in, zero at the start.
    """
    own[PERSON] = own[PERSON] + FREE
    while any_lane(own[PERSON] > RESTING):
        while any_lane(calls(m, w, own)):
            own[CALLED] = where(calls(m, w, own), 1, 0)
            seat(m, people, queue, parameters, initial, first_event, last_event, times, samples, ends, status, tries, w, own)
            m.prepare(w)
            w[m.at] = w[m.time]
            for state, (row, _) in m.observed.items():
                w[row] = w[m.y + state]
            show(m, people, times, samples, values, (own[CALLED] > 0) & (own[SAMPLE] == 0) & (own[PERSON] >= 0), w, own)
            happen(m, home, last_event, event_time, event_kind, event_index, event_value, times, samples, w, own)
            m.prepare(w)
        attempt(m, w)
        judge(m, people, rtol, tolerance, times, samples, most_tries, values, w, own)


def calls(m, w, own):
    """Lanes that need something other than a step: a person, an event, an end."""
    return (own[PERSON] == FREE) | ((own[PERSON] >= 0) & ((w[m.time] >= w[m.stop]) | (own[CODE] > 0)))


def seat(m, people, queue, parameters, initial, first_event, last_event, times, samples, ends, status, tries, w, own):
    """Lanes whose person is done write down how it ended and take the next one."""
    lane: int = 0
    while lane < m.width:
        if own[CALLED, lane] > 0:
            person = own[PERSON, lane]
            if person >= 0 and (own[CODE, lane] > 0 or own[SAMPLE, lane] >= samples):
                status[person] = own[CODE, lane]
                tries[person] = own[TRIES, lane]
                i: int = 0
                while i < m.states:
                    ends[person * m.states + i] = w[m.y + i, lane]
                    i += 1
                own[PERSON, lane] = FREE
            if own[PERSON, lane] == FREE:
                begin(m, people, take(queue), lane, parameters, initial, first_event, times, w, own)
        lane += 1


def begin(m, people, person, lane, parameters, initial, first_event, times, w, own):
    """A new person in a lane: all that its run depends on is set here."""
    if person < people:
        own[PERSON, lane] = person
        own[EVENT, lane] = first_event[person]
        for row in (SAMPLE, TRIES, CODE):
            own[row, lane] = 0
        i: int = 0
        while i < m.states:
            w[m.y + i, lane] = initial[person * m.states + i]
            w[m.rate + i, lane] = 0.0
            i += 1
        i = 0
        while i < m.parameters:
            w[m.p + i, lane] = parameters[person * m.parameters + i]
            i += 1
        w[m.time, lane] = times[0]
        w[m.next_sample, lane] = times[0]
        w[m.restart, lane] = FIRST_STEP
    else:
        own[PERSON, lane] = RESTING


def happen(m, home, last_event, event_time, event_kind, event_index, event_value, times, samples, w, own):
    """Lanes that stand at an event let it happen and set out for the next, with the step that suited the last one."""
    lane: int = 0
    while lane < m.width:
        if own[CALLED, lane] > 0 and own[PERSON, lane] >= 0:
            last = last_event[own[PERSON, lane]]
            event: int = own[EVENT, lane]
            while event < last and event_time[event] <= w[m.time, lane]:
                change(m, event_kind[event], event_index[event], event_value[event], lane, home, w)
                event += 1
            own[EVENT, lane] = event
            own[FRESH, lane] = 1
            w[m.proposed, lane] = w[m.restart, lane]
            w[m.stop, lane] = times[samples - 1]
            if event < last and event_time[event] < times[samples - 1]:
                w[m.stop, lane] = event_time[event]
        lane += 1


def change(m, kind, index, value, lane, home, w):
    if kind == ADD:
        w[m.y + index, lane] += value
    if kind == RATE:
        w[m.rate + index, lane] = value
    if kind == SET:
        w[m.p + index, lane] = value
    if kind == RESET:
        i: int = 0
        while i < m.states:
            w[m.y + i, lane] = home[i]
            w[m.rate + i, lane] = 0.0
            i += 1


def attempt(m, w):
    """One step of the method in every lane, from y to y1; k holds the stages."""
    rest = w[m.stop] - w[m.time]
    h = w[m.proposed]
    h = where(h >= rest, rest, where(2.0 * h > rest, 0.5 * rest, h))  # two halves rather than a step and a sliver
    h = where(h > 1e-100, h, 1e-100)
    inverse_h = 1.0 / h
    w[m.h] = h
    w[m.inverse_h] = inverse_h
    w[m.inverse_gamma_h] = inverse_h * (1 / GAMMA)
    w[m.at] = w[m.time]
    m.first(w)
    for stage in range(1, STAGES):
        if C_TIME[stage] != C_TIME[stage - 1]:
            w[m.at] = fma(h, C_TIME[stage], w[m.time])
            m.clock(w)
        advance(m, m.u, A[stage], A[stage - 1], w)
        i: int = 0
        while i < m.states:
            total = C[stage][0] * w[m.k + i]
            for j in range(1, stage):
                total = fma(C[stage][j], w[m.k + j * m.states + i], total)
            w[m.right + i] = fma(inverse_h, total, w[m.rate + i])
            i += 1
        if D[stage] != 0:
            for state, row in m.change.items():
                w[m.right + state] = fma(h * D[stage], w[row], w[m.right + state])
        m.stage(w, m.k + stage * m.states)
    advance(m, m.y1, B, A[STAGES - 1], w)


def advance(m, target, weights, previous, w):
    """target = y + sum of weights * k. Where the weights continue those of the last stage, so does the sum."""
    follows = len(previous) > 0 and weights[:-1] == previous
    i: int = 0
    while i < m.states:
        total = w[(m.u if follows else m.y) + i]
        for j in range(len(weights) - 1 if follows else 0, len(weights)):
            if weights[j] == 1:
                total = total + w[m.k + j * m.states + i]
            else:
                total = fma(weights[j], w[m.k + j * m.states + i], total)
        w[target + i] = total
        i += 1


def judge(m, people, rtol, tolerance, times, samples, most_tries, values, w, own):
    """Accept or reject the step in each lane, show the samples that it passed, and choose the next step."""
    error = mean_square_error(m, rtol, tolerance, w)
    awake = (own[PERSON] >= 0) & (own[CODE] == 0)
    accepted = awake & (error <= 1.0)
    rejected = awake & ~(error <= 1.0)
    h = w[m.h]
    arrives = w[m.proposed] >= w[m.stop] - w[m.time]
    reached = where(arrives, w[m.stop], w[m.time] + h)
    show_passed(m, people, times, samples, values, accepted, reached, w, own)

    finite = error < NEVER  # false for NaN
    factor = SAFETY * inverse_tenth_root(error)
    factor = where(factor < MOST_SHRINK, MOST_SHRINK, where(factor > MOST_GROWTH, MOST_GROWTH, factor))
    proposed = h * where(finite, factor, SHRINK_NOT_FINITE)
    w[m.restart] = where(accepted & (own[FRESH] > 0), proposed, w[m.restart])
    own[FRESH] = where(accepted, 0, own[FRESH])
    w[m.proposed] = proposed
    i: int = 0
    while i < m.states:
        w[m.y + i] = where(accepted, w[m.y1 + i], w[m.y + i])
        i += 1
    w[m.time] = where(accepted, reached, w[m.time])
    own[TRIES] += where(awake, 1, 0)
    stuck = rejected & (proposed < fma(SMALLEST_STEP, absolute(w[m.time]), SMALLEST_AT_ZERO))
    own[CODE] = where(stuck, where(finite, STEP_TOO_SMALL, NOT_FINITE), own[CODE])
    own[CODE] = where(awake & (own[TRIES] >= most_tries) & (own[CODE] == 0), TOO_MANY_STEPS, own[CODE])


def mean_square_error(m, rtol, tolerance, w):
    """The mean over states of (error / tolerated)**2; up to 1 is good."""
    total: Vector = 0.0
    i: int = 0
    while i < m.states:
        error = E[STAGES - 1] * w[m.k + (STAGES - 1) * m.states + i]
        for j in range(STAGES - 1):
            if E[j] != 0:
                error = fma(E[j], w[m.k + j * m.states + i], error)
        start, end = absolute(w[m.y + i]), absolute(w[m.y1 + i])
        part = error / fma(rtol, where(start > end, start, end), tolerance[i])
        total = fma(part, part, total)
        i += 1
    return total * (1 / max(m.states, 1))


def inverse_tenth_root(x):
    """x**(-1/10) to 1 %, which is all that choosing a step needs: a guess from the exponent, then Newton."""
    x = where(x > 1e-20, where(x < 1e20, x, 1e20), 1e-20)
    log2 = (bits(x) + 0.0) * 2.0**-52 - 1023.0
    root = from_bits(bits((1023.0 - 0.1 * log2) * 2.0**20 + 6755399441055744.0) << 32)
    for _ in range(2):
        second = root * root
        fourth = second * second
        tenth = fourth * fourth * second
        root = root * fma(-0.1 * x, tenth, 1.1)
    return root


def show_passed(m, people, times, samples, values, accepted, reached, w, own):
    """Outputs at the sample times in (time, reached], from the method's own interpolant."""
    if any_lane(accepted & (w[m.next_sample] <= reached)):
        for state, (_, rows) in m.observed.items():
            for power in range(3):
                total = H[power][0] * w[m.k + state]
                for j in range(1, STAGES):
                    total = fma(H[power][j], w[m.k + j * m.states + state], total)
                w[rows + power] = total
        while any_lane(accepted & (w[m.next_sample] <= reached)):
            w[m.at] = w[m.next_sample]
            x = (w[m.next_sample] - w[m.time]) * w[m.inverse_h]
            for state, (row, rows) in m.observed.items():
                curve = fma(x, fma(x, w[rows + 2], w[rows + 1]), w[rows])
                start, end = w[m.y + state], w[m.y1 + state]
                w[row] = fma(x, fma(1.0 - x, curve, end), (1.0 - x) * start)
            show(m, people, times, samples, values, accepted & (w[m.next_sample] <= reached), w, own)


def show(m, people, times, samples, values, mask, w, own):
    """Write the outputs of the lanes in the mask, and look for their next sample."""
    m.observe(w)
    place = own[PERSON] * samples + own[SAMPLE]
    for output in range(m.outputs):
        found = w[m.o + output]
        scatter(values, place + output * people * samples, mask, found)
        own[CODE] = where(mask & ~(absolute(found) < NEVER), NOT_FINITE, own[CODE])
    following = where(mask, own[SAMPLE] + 1, own[SAMPLE])
    own[SAMPLE] = following
    more = following < samples
    time = gather(times, where(more, following, samples - 1))
    w[m.next_sample] = where(more, time, NEVER)
