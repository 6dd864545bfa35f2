"""Blocks on a Dask cluster: its workers compute, this process alone writes, so that they need no disk of ours."""

from __future__ import annotations

import pickle
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.simulation.provenance import package_version
from ldnsim.sweeps.blocks import Bench, worked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from ldnsim.sweeps.plan import Plan

__all__ = ["connected", "parcel", "remote"]

PATIENCE = 5.0  # seconds for a scheduler to answer, and for a first worker to be there


def parcel(plan: Plan) -> bytes:
    """A plan as it travels, with each block: a worker that comes later, or after another died, lacks nothing."""
    return pickle.dumps((package_version(), plan))


def remote(sent: bytes, number: int, *, as_chunks: bool) -> Any:
    """What a worker does: a block of the plan that was sent, on one thread."""
    return worked(_bench(sent), number, threads=1, as_chunks=as_chunks)


@lru_cache(2)
def _bench(sent: bytes) -> Bench:
    version, plan = pickle.loads(sent)  # noqa: S301 - from the client, which may run what it likes here anyway
    if version != package_version():
        raise LdnsimError(f"this worker has ldnsim {package_version()}, and the sweep was planned by {version}")
    return Bench(plan)


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of a scheduler as an executor, and how many threads they have; raises LdnsimError where there is no
    scheduler, no worker, or no library to talk to them."""
    try:
        import distributed
    except ImportError:
        raise LdnsimError(Fault("distributed is not installed", expected="pip install 'ldnsim[cluster]'")) from None
    try:
        made: Any = distributed.Client  # whose types are not all there
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
            message = f"the scheduler at {address} went away"
            expected = "what is in a store stays, and the same command goes on from there"
            raise LdnsimError(Fault(message, expected=expected)) from None
