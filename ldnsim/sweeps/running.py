"""Blocks in flight: worked on by threads here or by the workers of a Dask cluster, taken in by this process alone."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ldnsim.foundation.errors import LdnsimError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ldnsim.sweeps.layout import Block

__all__ = ["Sink", "Watcher", "run", "threads"]

AHEAD = 2  # blocks per worker that are in flight: enough that none waits


class Sink(Protocol):
    """Where finished blocks go."""

    def write(self, block: Block, found: Any) -> None: ...


class Watcher(Protocol):
    """Who is told how far it is: the seconds of the first block, then each block that is in."""

    def first(self, seconds: float) -> None: ...

    def block(self) -> None: ...


def run(
    blocks: Iterable[Block],
    work: Callable[[int], Any],
    sink: Sink,
    executor: Executor,
    workers: int,
    watcher: Watcher,
) -> dict[int, str]:
    """Work on all blocks, a bounded number at a time; returns those that were lost, with the reason.

    The first block goes alone: it tells how long the others will take, and what is wrong with it is wrong with all.
    Whatever ends this early (Ctrl-C, a full disk) loses the blocks in flight and no other.
    """
    from time import perf_counter

    waiting: Iterator[Block] = iter(blocks)
    flying: dict[Future[Any], Block] = {}
    lost: dict[int, str] = {}
    begun, limit = perf_counter(), 1
    try:
        while True:
            while len(flying) < limit and (block := next(waiting, None)) is not None:
                flying[executor.submit(work, block.number)] = block
            if not flying:
                return lost
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                block = flying.pop(future)
                try:
                    found = future.result()
                except (LdnsimError, CancelledError):  # nothing that a single block could have lost
                    raise
                except Exception as caught:
                    if limit == 1:
                        raise
                    lost[block.number] = f"{type(caught).__name__}: {caught}"
                else:
                    sink.write(block, found)
                    del found
                watcher.block()
            if limit == 1:
                watcher.first(perf_counter() - begun)
                limit = workers * AHEAD
    finally:
        for future in flying:
            future.cancel()


@contextmanager
def threads(workers: int) -> Iterator[tuple[Executor, int]]:
    """Threads of this process: the solver and numpy let them run side by side."""
    executor = ThreadPoolExecutor(workers, thread_name_prefix="ldnsim-sweep")
    try:
        yield executor, workers
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
