"""Blocks in flight: computed by threads or by the workers of a Dask cluster, collected by this process alone."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from ldnsim.foundation.errors import LdnsimError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ldnsim.sweeps.layout import Block

__all__ = ["Sink", "Watcher", "run", "threads"]

AHEAD = 2  # blocks in flight per worker, so that no worker waits


class Sink(Protocol):
    """Takes finished blocks."""

    def write(self, block: Block, found: Any) -> None: ...


class Watcher(Protocol):
    """Follows the progress: the seconds of the first block, then each finished block."""

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
    """Compute all blocks, a bounded number at a time; returns the blocks that failed, with the reason.

    The first block runs alone: it gives the time of the others, and an error in it is raised at once, since it would
    occur in all. If the process ends early (Ctrl-C, a full disk), only the blocks in flight are lost.
    """
    from time import perf_counter

    waiting: Iterator[Block] = iter(blocks)
    in_flight: dict[Future[Any], Block] = {}
    failed: dict[int, str] = {}
    begun, limit = perf_counter(), 1
    try:
        while True:
            while len(in_flight) < limit and (block := next(waiting, None)) is not None:
                in_flight[executor.submit(work, block.number)] = block
            if not in_flight:
                return failed
            for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                block = in_flight.pop(future)
                try:
                    found = future.result()
                except (LdnsimError, CancelledError):  # errors of the whole sweep, not of one block
                    raise
                except Exception as caught:
                    if limit == 1:
                        raise
                    failed[block.number] = f"{type(caught).__name__}: {caught}"
                else:
                    sink.write(block, found)
                    del found
                watcher.block()
            if limit == 1:
                watcher.first(perf_counter() - begun)
                limit = workers * AHEAD
    finally:
        for future in in_flight:
            future.cancel()


@contextmanager
def threads(workers: int) -> Iterator[tuple[Executor, int]]:
    """Threads of this process; the solver and numpy release the interpreter lock."""
    executor = ThreadPoolExecutor(workers, thread_name_prefix="ldnsim-sweep")
    try:
        yield executor, workers
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
