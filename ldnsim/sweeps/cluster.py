"""Blocks on a Dask cluster: its workers compute, and only this process writes, so they need no shared disk."""

from __future__ import annotations

import pickle
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.simulation.provenance import package_version
from ldnsim.sweeps.blocks import BlockComputer, compute_block

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from ldnsim.sweeps.plan import SweepPlan

__all__ = ["compute_remotely", "connected", "pickled_plan"]

PATIENCE = 5.0  # s, to wait for the scheduler and for its first worker


def pickled_plan(plan: SweepPlan) -> bytes:
    """A pickled plan, sent with each block, so that workers can join or be replaced at any time."""
    return pickle.dumps((package_version(), plan))


def compute_remotely(sent: bytes, number: int, *, as_chunks: bool) -> Any:
    """Compute a block of the plan that was sent, on one thread of a worker."""
    return compute_block(_computer(sent), number, threads=1, as_chunks=as_chunks)


@lru_cache(2)
def _computer(sent: bytes) -> BlockComputer:
    version, plan = pickle.loads(sent)  # noqa: S301 - from the client, which can run any code here anyway
    if version != package_version():
        raise LdnsimError(f"the worker has ldnsim {package_version()}; expected {version}, which planned the sweep")
    return BlockComputer(plan)


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of a scheduler as an executor, and their number of threads.

    Raises LdnsimError if there is no scheduler or worker, or if `distributed` is not installed.
    """
    try:
        import distributed
    except ImportError:
        raise LdnsimError(Fault("distributed is not installed", expected="pip install 'ldnsim[cluster]'")) from None
    try:
        made: Any = distributed.Client  # its types are incomplete
        client = made(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as caught:
        why = str(caught).splitlines()[0] if str(caught) else type(caught).__name__
        expected = "the address that `dask scheduler` prints, such as tcp://10.0.0.1:8786"
        raise LdnsimError(Fault(f"no scheduler answers at {address!r} ({why[:100]})", expected=expected)) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            message = f"the scheduler at {address} has no workers"
            raise LdnsimError(Fault(message, expected="`dask worker` started with its address")) from None
        threads = sum(client.nthreads().values())
        try:
            yield client.get_executor(pure=False), threads
        except CancelledError:
            message = f"the connection to the scheduler at {address} was lost"
            expected = "a store keeps its finished blocks, and the same command continues from there"
            raise LdnsimError(Fault(message, expected=expected)) from None
