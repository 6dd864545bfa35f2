"""The one registry of metrics: what can be read off a curve, for tables, sweeps, studies, fits and validation alike.

Each module of `families/` registers its own with `@metric(...)`; `catalogue` finds them, and answers who asks by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.errors import LdnsimError

if TYPE_CHECKING:
    from ldnsim.metrics.view import OutputView
    from ldnsim.model.output_kinds import OutputKind

__all__ = ["METRICS", "Metric", "metric", "register", "unregister"]

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Found = tuple[Floats, Texts | None]
ComparedAs = Literal["difference", "ratio", "clock"]
Style = Literal["output", "plain", "share", "rise", "clock"]


@dataclass(frozen=True)
class Metric:
    """A number that is read off a curve.

    Parameters
    ----------
    name
        Its name in tables (`<output>_<name>`), fit files and predictions.
    title
        What it is, in words.
    unit
        `{}` stands for the unit of the output.
    read
        Takes an `OutputView`, returns the values (rows,) and why there is none (rows,), "" where there is one; None
        instead of reasons where a solved output always has the metric.
    kinds
        The names of the output kinds that it is for, and with them of every kind that has theirs
        (`OutputKind.metrics_of`); None for all.
    label
        The heading of a narrow column; the name where it is "".
    comparison
        How two values compare: by their difference, by their ratio (on the log scale), or as hours on a clock, where
        23.9 is next to 0.1.
    style
        How it is printed: as the output itself, as a plain number, a share in %, a signed share, or a clock time.
    in_tables
        Whether `summarize` computes it. The others are read where a fit or a prediction asks for them.
    past_window
        It is read beyond the window, to the end of the run.
    rests_on_blockade
        Its evidence is no stronger than that of the blockade of receptors.
    """

    name: str
    title: str
    unit: str
    read: Callable[[OutputView], Found]
    kinds: frozenset[str] | None = None
    label: str = ""
    comparison: ComparedAs = "difference"
    style: Style = "plain"
    in_tables: bool = True
    rests_on_blockade: bool = False
    past_window: bool = False

    def is_for(self, kind: OutputKind) -> bool:
        """Whether outputs of this kind have it."""
        return self.kinds is None or not self.kinds.isdisjoint((kind.name, *kind.metrics_of))

    def unit_for(self, unit: str) -> str:
        """The unit of the metric of an output in `unit`."""
        text = self.unit.format(unit)
        return text.removeprefix("1*") if unit == "1" else text


METRICS: dict[str, Metric] = {}  # by name; read it through `catalogue`, which fills it


def metric(  # noqa: PLR0913 - keyword arguments, all with a default
    name: str,
    title: str,
    unit: str,
    *,
    kinds: tuple[str, ...] | None = None,
    label: str = "",
    comparison: ComparedAs = "difference",
    style: Style = "plain",
    in_tables: bool = True,
    rests_on_blockade: bool = False,
    past_window: bool = False,
) -> Callable[[Callable[[OutputView], Found]], Callable[[OutputView], Found]]:
    """Register the decorated function as a metric; see `Metric` for the arguments."""

    def registered(read: Callable[[OutputView], Found]) -> Callable[[OutputView], Found]:
        of = None if kinds is None else frozenset(kinds)
        register(
            Metric(name, title, unit, read, of, label, comparison, style, in_tables, rests_on_blockade, past_window)
        )
        return read

    return registered


def register(new: Metric) -> None:
    """Make a metric known under its name; raises LdnsimError where the name is taken."""
    if new.name in METRICS:
        raise LdnsimError(f"There is a metric {new.name!r} already; expected another name.")
    METRICS[new.name] = new


def unregister(name: str) -> None:
    """Take a metric out of the registry again; raises KeyError where there is none of this name."""
    del METRICS[name]
