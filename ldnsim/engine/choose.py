"""Which solver: any of the modules in `solvers/`, by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache

from ldnsim.engine.events import Solution
from ldnsim.foundation.registry import Registry

__all__ = ["SOLVERS", "Solve", "SolverName", "native_works", "solver"]

TRIAL = "define void @trial() {\n  ret void\n}"
SolverName = str
Solve = Callable[..., Solution]  # its arguments and their meaning are those of `engine.reference.solve`

# name -> a function of the number of threads (None: one per core) that returns the solver
SOLVERS: Registry[Callable[[int | None], Solve]] = Registry("solver", "ldnsim.engine.solvers")


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


def solver(name: SolverName = "native", threads: int | None = None) -> Solve:
    """The `solve` of the solver asked for. It uses at most so many threads (None: one per core).

    Raises LdnsimError, with the nearest name, where there is no solver of this name.
    """
    return SOLVERS.named(name)(threads)
