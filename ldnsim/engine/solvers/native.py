"""The native solver; where no native code can be made, the reference takes over."""

from __future__ import annotations

from functools import partial

from ldnsim.engine.choose import SOLVERS, Solve, native_works

__all__ = ["native"]


@SOLVERS.adds("native")
def native(threads: int | None) -> Solve:
    if not native_works():
        return SOLVERS.named("reference")(threads)
    from ldnsim.engine.native import solve

    return partial(solve, threads=threads)
