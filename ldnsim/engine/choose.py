"""Which solver: the native one wherever it works, the reference where it does not or is asked for."""

from __future__ import annotations

import warnings
from functools import cache, partial
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from ldnsim.engine.events import Solution

__all__ = ["SolverName", "native_works", "solver"]

TRIAL = "define void @trial() {\n  ret void\n}"
SolverName = Literal["native", "reference"]


@cache
def native_works() -> bool:
    """Whether machine code can be made here; warns, once, where it cannot."""
    try:
        from ldnsim.engine.compiler.machine import Native, assemble

        trial = Native(assemble(TRIAL))  # by name: the code lives as long as this object
        trial.function("trial", "")()
    except (ImportError, OSError, RuntimeError, AttributeError) as caught:
        slower = "the reference solver takes over, which is some hundred times slower"
        warnings.warn(f"no native code can be made here ({caught}): {slower}", stacklevel=3)
        return False
    return True


def solver(name: SolverName = "native", threads: int | None = None) -> Callable[..., Solution]:
    """The `solve` of the solver asked for, or of the reference where native code cannot be made. The native one uses at
    most so many threads (None: one per core)."""
    if name not in get_args(SolverName):
        raise ValueError(f"no solver {name!r}: {' or '.join(get_args(SolverName))}")
    if name == "native" and native_works():
        from ldnsim.engine import native

        return partial(native.solve, threads=threads)
    from ldnsim.engine import reference

    return reference.solve
