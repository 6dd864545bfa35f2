"""What a sweep goes through: axes of values or ranges, and the design that makes cells of them. Records, and how a
place in a range becomes a value that can be written behind an address."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag

from ldnsim.foundation.clock import clock_text, parse_clock
from ldnsim.foundation.errors import Fault, LdnsimError, shown
from ldnsim.foundation.fields import AxisField, ChangeValue, Record, Whole
from ldnsim.foundation.schema_faults import LIST_MARK, RANGE_MARK
from ldnsim.foundation.units import coherent, parse_quantity

__all__ = ["MOST_CELLS", "SAMPLED", "Design", "Ends", "Range", "SweepAxis", "ends_of", "number_of", "values_of"]

MOST_CELLS = 10**7
MOST_POINTS = 1_000
FACTOR = re.compile(r"x\s*([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+)\Z")
SAMPLED = ("latin_hypercube", "sobol", "random")


class Range(Record):
    """All values between two: quantities, factors (`x 0.5`), clock times or whole numbers. A grid takes `points`."""

    from_: ChangeValue | None = Field(None, alias="from")
    to: ChangeValue | None = None
    scale: Literal["linear", "log"] = "linear"
    points: Annotated[Whole, Field(ge=2, le=MOST_POINTS)] | None = None


class Design(Record):
    """How cells come from axes: all combinations (grid), one list beside the other (list), or sampled `cells`."""

    kind: Literal["grid", "list", "latin_hypercube", "sobol", "random"] = "grid"
    cells: Annotated[Whole, Field(ge=1, le=MOST_CELLS)] | None = None
    seed: Annotated[Whole, Field(ge=0, le=10**18)] = 1


def _kind(found: Any) -> str:
    return RANGE_MARK if isinstance(found, dict | Range) else LIST_MARK


SweepAxis = Annotated[
    Annotated[AxisField, Tag(LIST_MARK)] | Annotated[Range, Tag(RANGE_MARK)],
    Discriminator(_kind),
]


NumberKind = Literal["quantity", "factor", "clock", "whole"]


@dataclass(frozen=True)
class Ends:
    """A range as numbers: of what kind, from where to where, in which unit (a clock may go past 24 h)."""

    kind: NumberKind
    start: float
    stop: float
    unit: str
    log: bool

    def at(self, share: np.ndarray) -> np.ndarray:
        """The numbers at shares (n,) of the way, 0 to 1; to the minute on a clock, whole where they must be."""
        if self.log:
            found = np.exp(np.log(self.start) + share * (np.log(self.stop) - np.log(self.start)))
        else:
            found = self.start + share * (self.stop - self.start)
        if self.kind == "clock":
            return np.asarray(np.floor(found * 60 + 0.5) / 60 % 24.0)
        if self.kind == "whole":
            return np.asarray(np.floor(found + 0.5))
        # the ends themselves, to the bit
        return np.where(share <= 0, self.start, np.where(share >= 1, self.stop, found))

    def text(self, number: float) -> str | int:
        """A number of the range as it is written behind an address."""
        match self.kind:
            case "clock":
                return clock_text(number)
            case "factor":
                return f"x {float(number)!r}"
            case "whole":
                return int(number)
        return repr(float(number)) if self.unit == "1" else f"{float(number)!r} {self.unit}"


def number_of(value: object) -> tuple[NumberKind, float, str]:
    """(kind, number, unit) of a value that has a place on a scale; LdnsimError for a name or a list."""
    text = value.strip() if isinstance(value, str) else ""
    if (time := parse_clock(text)) is not None:
        return "clock", time, "h"
    if match := FACTOR.match(text):
        return "factor", float(match[1]), "1"
    quantity = parse_quantity(value)
    return "quantity", quantity.value, quantity.unit


def ends_of(address: str, given: Range) -> Ends:
    """The range of an address as numbers; an LdnsimError says why it is none. Paths start at the range."""
    (kind, start, unit), (other, stop, _) = _both_ends(given)
    if kind == other == "quantity":
        first, last = parse_quantity(given.from_), parse_quantity(given.to)
        other = kind if first.dimension == last.dimension else "whole"  # of another kind
        stop = last.value if first.unit == last.unit else coherent(last) / coherent(parse_quantity(f"1 {unit}"))
    if kind != other:
        raise LdnsimError(Fault(f"{shown(given.from_)} and {shown(given.to)} do not span a range", (), "two of a kind"))
    if kind == "quantity" and address.startswith("population."):
        kind = "whole"
    if kind == "clock" and stop <= start:
        stop += 24.0
    if given.scale == "log" and (kind == "clock" or not min(start, stop) > 0):
        what = "of clock times" if kind == "clock" else "that reaches zero or below"
        raise LdnsimError(Fault(f"a log range {what}", ("scale",), "linear, or two values above 0"))
    if not 0 < stop - start < math.inf:
        message = f"the range from {shown(given.from_)} to {shown(given.to)} is empty"
        raise LdnsimError(Fault(message, (), "the lower value first"))
    return Ends(kind, start, stop, unit, given.scale == "log")


def _both_ends(given: Range) -> list[tuple[NumberKind, float, str]]:
    faults, ends = [], []
    given_ends = {"from": given.from_, "to": given.to}
    missing = [repr(key) for key, value in given_ends.items() if value is None]
    if missing:
        message = f"a range without {' and '.join(missing)}"
        raise LdnsimError(Fault(message, (), "{from: 1 mg, to: 6 mg}", at_key=True))
    for key, value in given_ends.items():
        try:
            ends.append(number_of(value))
        except LdnsimError:
            expected = "a value with its unit, a factor such as 'x 0.5', or a clock time; names are given as a list"
            faults.append(Fault(f"{shown(value)} has no place in a range", (key,), expected))
    if faults:
        raise LdnsimError(faults)
    return ends


def values_of(address: str, axis: tuple[Any, ...] | Range) -> tuple[Any, ...]:
    """What stands on an axis of a grid or a list: its values, or the points of its range."""
    if not isinstance(axis, Range):
        return axis
    ends = ends_of(address, axis)
    numbers = ends.at(np.linspace(0.0, 1.0, axis.points or 2))
    return tuple(dict.fromkeys(ends.text(number) for number in numbers.tolist()))
