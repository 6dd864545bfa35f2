"""What the driver records within windows of time: each accepted step as a piece of every output.

A piece holds the outputs at fixed nodes from its start to its end, so that a polynomial through them is the output to
the solver's accuracy, wherever samples for display are. Steps end at events: a piece shows what was after the events at
its start and before those at its end. Written in the words of `lanes`, as the driver is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.engine.events import Status
from ldnsim.engine.job import CODE, LAST_PIECE, LAST_WINDOW, NEVER, PIECE, RECORDED, WINDOW, Job
from ldnsim.engine.lanes import Rows, RowsOfInts, Vector, absolute, any_lane, fma, gather, where
from ldnsim.engine.pieces import NODE_COUNT
from ldnsim.engine.step import interpolate

if TYPE_CHECKING:
    from ldnsim.engine.program import Program

__all__ = ["await_window", "record_passed"]

NOT_FINITE = int(Status.NOT_FINITE)
SHORTEST_PIECE = 1 / 64  # of a step: where an output has a corner or a jump, halving would not come to an end


def await_window(m: Program, job: Job, person: int, lane: int, w: Rows, own: RowsOfInts) -> None:
    """A new person in a lane: its first window, and its room for pieces."""
    first, last = job.first_window[person], job.last_window[person]
    own[WINDOW, lane] = first
    own[LAST_WINDOW, lane] = last
    own[PIECE, lane] = job.first_piece[person]
    own[LAST_PIECE, lane] = job.last_piece[person]
    w[m.next_piece, lane] = NEVER
    w[m.piece_stop, lane] = NEVER
    output: int = 0
    while output < m.outputs:
        w[m.largest + output, lane] = 0.0
        output += 1
    if first < last:
        w[m.next_piece, lane] = job.window_start[first]
        w[m.window_end, lane] = job.window_end[first]


def record_passed(m: Program, job: Job, accepted: Vector, reached: Vector, w: Rows, own: RowsOfInts) -> None:
    """The pieces in (time, reached]: one, or several where the curve is rough or a window ends within the step."""
    while any_lane(accepted & (w[m.next_piece] < reached)):
        mask = accepted & (w[m.next_piece] < reached)
        w[m.piece_end] = smaller(w[m.piece_stop], smaller(w[m.window_end], reached))
        look_at_piece(m, job, mask, reached, w, own)
        length = w[m.piece_end] - w[m.next_piece]
        middle = fma(0.5, length, w[m.next_piece])
        halved = mask & is_rough(m, job, w) & (length > SHORTEST_PIECE * w[m.h])
        halved = halved & (middle > w[m.next_piece]) & (middle < w[m.piece_end])
        done = mask & ~halved
        own[RECORDED] = where(done, 1, 0)
        write_pieces(m, job, w, own)
        further = where(w[m.piece_end] < reached, fma(2.0, length, w[m.piece_end]), NEVER)
        w[m.piece_stop] = where(halved, middle, where(done, further, w[m.piece_stop]))
        w[m.next_piece] = where(done, w[m.piece_end], w[m.next_piece])
        next_window(m, job, done & (w[m.window_end] <= w[m.piece_end]), w, own)


def next_window(m: Program, job: Job, through: Vector, w: Rows, own: RowsOfInts) -> None:
    """Lanes that are through a window wait for their next one."""
    own[WINDOW] += where(through, 1, 0)
    more = own[WINDOW] < own[LAST_WINDOW]
    window = where(more, own[WINDOW], 0)
    start = where(more, gather(job.window_start, window), NEVER)
    w[m.next_piece] = where(through, start, w[m.next_piece])
    w[m.piece_stop] = where(through, NEVER, w[m.piece_stop])
    w[m.window_end] = where(through, gather(job.window_end, window), w[m.window_end])


def smaller(a: Vector, b: Vector) -> Vector:
    return where(a < b, a, b)


def look_at_piece(m: Program, job: Job, mask: Vector, reached: Vector, w: Rows, own: RowsOfInts) -> None:
    """The outputs at the nodes from next_piece to piece_end, into rows, and how rough they are."""
    start, end = w[m.next_piece], w[m.piece_end]
    x_start = (start - w[m.time]) * w[m.inverse_h]
    x_end = where(end < reached, (end - w[m.time]) * w[m.inverse_h], 1.0)  # so that neighbours meet to the bit
    output: int = 0
    while output < m.outputs:
        w[m.roughness + output] = 0.0
        output += 1
    node: int = 0
    while node < NODE_COUNT:
        share = job.nodes[node]
        w[m.at] = fma(1.0 - share, start, share * end)
        interpolate(m, w, fma(1.0 - share, x_start, share * x_end))
        m.observe(w)
        output = 0
        while output < m.outputs:
            found = w[m.o + output]
            size = absolute(found)
            w[m.curve + output * NODE_COUNT + node] = found
            own[CODE] = where(mask & ~(size < NEVER), NOT_FINITE, own[CODE])
            w[m.largest + output] = where(mask & (size > w[m.largest + output]), size, w[m.largest + output])
            w[m.roughness + output] = fma(job.leading[node], found, w[m.roughness + output])
            output += 1
        node += 1


def is_rough(m: Program, job: Job, w: Rows) -> Vector:
    """Whether some output's polynomial has not settled: its highest term is too large a part of the output so far."""
    rough: Vector = 0.0
    output: int = 0
    while output < m.outputs:
        rough = where(absolute(w[m.roughness + output]) > job.rtol * w[m.largest + output], 1.0, rough)
        output += 1
    return rough > 0.0


def write_pieces(m: Program, job: Job, w: Rows, own: RowsOfInts) -> None:
    """Lane by lane, for few are within a window at once. Without room, only their number goes on."""
    lane: int = 0
    while lane < m.width:
        if own[RECORDED, lane] > 0:
            piece = own[PIECE, lane]
            own[PIECE, lane] = piece + 1
            if piece < own[LAST_PIECE, lane]:
                job.piece_start[piece] = w[m.next_piece, lane]
                job.piece_end[piece] = w[m.piece_end, lane]
                output: int = 0
                while output < m.outputs:
                    place = (piece + output * job.room) * NODE_COUNT
                    node: int = 0
                    while node < NODE_COUNT:
                        job.piece_values[place + node] = w[m.curve + output * NODE_COUNT + node, lane]
                        node += 1
                    output += 1
        lane += 1
