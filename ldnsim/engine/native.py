"""The native solver: models compiled to vector code at run time, many people at once.

The same signature and meaning as `reference.solve`. A person's result has the same bits alone, in any batch, order,
chunk and number of threads on one machine.
"""

from __future__ import annotations

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.engine.build import DRIVE_KINDS, module_text
from ldnsim.engine.checks import check
from ldnsim.engine.compiler import cache
from ldnsim.engine.compiler.machine import Native, assemble, machine
from ldnsim.engine.events import Solution, Status
from ldnsim.engine.grids import Grids
from ldnsim.engine.job import OWN_ROWS, Job
from ldnsim.engine.pieces import LEADING, NODES, Pieces, Windows, shared_windows
from ldnsim.engine.program import Program
from ldnsim.engine.room import gathered, guess, room_for
from ldnsim.engine.schedules import Schedules, pack
from ldnsim.engine.stops import with_stops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.engine.events import Event
    from ldnsim.model.system import System

__all__ = ["Walk", "compiled", "solve", "walk"]

MOST_TRIES = 300_000  # steps of one person, rejected ones included: some tenths of a second
PEOPLE_PER_THREAD = 32  # fewer are not worth a thread
MOST_KEPT = 64  # compiled systems in memory
ALIGNMENT = 256

REASONS = {
    Status.NOT_FINITE: "a state or an output is not finite, or the equations have no value",
    Status.TOO_MANY_STEPS: f"more than {MOST_TRIES} steps",
    Status.STEP_TOO_SMALL: "the step became too small to go on",
}


class Walk(NamedTuple):
    """What the driver wrote: values (people, times, outputs), or (samples, outputs) on grids; ends (people, states) at
    the last time; status and tries (people,); pieces, where windows were asked for; reason: a text for each person, ""
    where solved.
    """

    values: np.ndarray
    ends: np.ndarray
    status: np.ndarray
    tries: np.ndarray
    pieces: Pieces | None
    reason: list[str]


def solve(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedules: Sequence[Sequence[Event]] | Schedules,
    times: np.ndarray | Grids,
    outputs: Sequence[str],
    rtol: float = 1e-6,
    *,
    windows: Windows | None = None,
    threads: int | None = None,
) -> Solution:
    """Outputs of every person at the sample times and within windows; see `reference.solve`.

    Errors stay below about 30 * rtol of each state's largest value. `threads`: at most so many (None: one per core).
    Large populations may be solved in pieces: the pieces have the same bits as the whole.
    """
    done = walk(system, parameters, initial, schedules, times, outputs, rtol, windows=windows, threads=threads)
    unsolved = done.status != Status.SOLVED
    done.values[np.repeat(unsolved, times.last - times.first) if isinstance(times, Grids) else unsolved] = np.nan
    return Solution(done.values, done.status.astype(np.int8), done.reason, done.pieces)


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reasons(status: np.ndarray, unresolved: dict[int, str]) -> list[str]:
    texts = [""] * len(status)
    for person in np.flatnonzero(status).tolist():
        texts[person] = unresolved.get(person) or REASONS[Status(int(status[person]))]
    return texts


def walk(
    system: System,
    parameters: np.ndarray,
    initial: np.ndarray,
    schedules: Sequence[Sequence[Event]] | Schedules,
    times: np.ndarray | Grids,
    outputs: Sequence[str],
    rtol: float,
    *,
    windows: Windows | None = None,
    threads: int | None = None,
) -> Walk:
    """As `solve`, with the states at the last time; rows that failed hold anything."""
    parameters, initial = (np.ascontiguousarray(array, float) for array in (parameters, initial))
    packed = pack(schedules)
    check(system, parameters, initial, packed, times, rtol, windows)
    people = len(packed)
    grids, place, shape = _placed(times, people)
    start, end = grids.time[grids.first], grids.time[grids.last - 1]
    system, parameters, packed, unresolved = with_stops(system, parameters, packed, start, end)
    recorded = shared_windows(people, ()) if windows is None else windows
    room = room_for(guess(recorded, packed.last - packed.first, end - start), len(outputs))
    job = Job(
        people=people,
        queue=np.zeros(1, np.int64),
        parameters=parameters.reshape(-1),
        initial=initial.reshape(-1),
        home=np.array(system.initial, float),
        first_event=packed.first,
        last_event=packed.last,
        event_time=packed.time,
        event_kind=packed.kind,
        event_index=packed.index,
        event_value=packed.value,
        first_time=grids.first,
        last_time=grids.last,
        place=place,
        times=grids.time,
        shown=math.prod(shape),
        rtol=rtol,
        tolerance=np.maximum(1e-3 * rtol * np.asarray(system.scale, float), 1e-300),
        most_tries=MOST_TRIES,
        values=np.empty(len(outputs) * math.prod(shape)),
        ends=np.empty(people * len(system.states)),
        status=np.zeros(people, np.int64),
        tries=np.zeros(people, np.int64),
        pieces=np.zeros(people, np.int64),
        **_recorded(recorded),
        **room.fields(),
    )
    run = partial(_run, compiled(system, tuple(outputs)), threads)
    run(job)
    job.status[list(unresolved)] = Status.BAD_EQUATION
    return Walk(
        np.moveaxis(job.values.reshape(len(outputs), *shape), 0, -1),  # in memory, an output's values stand together
        job.ends.reshape(people, len(system.states)),
        job.status,
        job.tries,
        None if windows is None else gathered(run, job, room),
        _reasons(job.status, unresolved),
    )


def _placed(times: np.ndarray | Grids, people: int) -> tuple[Grids, np.ndarray, tuple[int, ...]]:
    """Everybody's sample times, the place of a person's first value among all, and the shape of an output's values."""
    if isinstance(times, Grids):
        return times, times.first, (len(times.time),)
    time = np.ascontiguousarray(times, float)
    shared = Grids(np.zeros(people, np.int64), np.full(people, len(time), np.int64), time)
    return shared, np.arange(people, dtype=np.int64) * len(time), (people, len(time))


def _recorded(windows: Windows) -> dict[str, Any]:
    """A job's fields for windows."""
    return {
        "first_window": np.ascontiguousarray(windows.first, np.int64),
        "last_window": np.ascontiguousarray(windows.last, np.int64),
        "window_start": np.ascontiguousarray(windows.start, float),
        "window_end": np.ascontiguousarray(windows.end, float),
        "nodes": NODES,
        "leading": LEADING,
    }


def _run(entry: Compiled, threads: int | None, job: Job) -> None:
    """Do the job, in threads that all take people from one queue."""
    workers = min(threads or cores(), -(-job.people // PEOPLE_PER_THREAD))
    if workers == 1:
        entry.drive(job, *entry.room())
    if workers > 1:
        with ThreadPoolExecutor(workers) as pool:
            for finished in [pool.submit(entry.drive, job, *entry.room()) for _ in range(workers)]:
                finished.result()


class Compiled:
    """A system's native driver, and how much room it needs to work in."""

    def __init__(self, system: System, outputs: tuple[str, ...]) -> None:
        here = machine()
        self.program = Program(system, outputs, here.width)
        key = f"{cache.engine_version()} {here.text} {self.program.text}"
        self.native = _loaded(cache.load(key))
        if self.native is None:
            code = assemble(module_text(self.program, here))
            self.native = Native(code)
            cache.save(key, code)
        self._function = self.native.function("drive", DRIVE_KINDS)
        self._width = here.width

    def drive(self, job: Job, table: np.ndarray, own: np.ndarray) -> None:
        """The compiled driver, called as `driver.drive` without its program. Other Python threads go on meanwhile."""
        self._function(*(a.ctypes.data if isinstance(a, np.ndarray) else a for a in (*job, table, own)))

    def room(self) -> tuple[np.ndarray, np.ndarray]:
        """Zeros for one call: the table of rows and the lanes' own whole numbers, aligned."""
        return _aligned((self.program.count, self._width), float), _aligned((OWN_ROWS, self._width), np.int64)


_kept: dict[
    tuple[int, tuple[str, ...]], tuple[System, Compiled]
] = {}  # the system is held, so that its id stays its own
_lock = threading.Lock()


def compiled(system: System, outputs: tuple[str, ...]) -> Compiled:
    """The compiled system: from memory, from disk, or made now."""
    key = (id(system), outputs)
    with _lock:
        if key not in _kept:
            while len(_kept) >= MOST_KEPT:
                del _kept[next(iter(_kept))]
            _kept[key] = system, Compiled(system, outputs)
        return _kept[key][1]


def _loaded(code: bytes | None) -> Native | None:
    """Code from disk; None where there is none or it cannot be loaded."""
    if code is None:
        return None
    try:
        return Native(code)
    except (RuntimeError, OSError):
        return None


def _aligned(shape: tuple[int, int], kind: type) -> np.ndarray:
    size = shape[0] * shape[1] * 8
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(kind).reshape(shape)
