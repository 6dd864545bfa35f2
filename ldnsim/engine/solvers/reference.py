"""The reference solver, which uses one thread whatever it is offered."""

from __future__ import annotations

from ldnsim.engine.choose import SOLVERS, Solve

__all__ = ["reference"]


@SOLVERS.adds("reference")
def reference(threads: int | None) -> Solve:
    del threads
    from ldnsim.engine.reference import solve

    return solve
