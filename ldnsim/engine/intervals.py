"""What values nodes of a graph can take while the time goes from `low` to `high`: interval arithmetic, many at once.

The intervals hold every value for certain: roundings are made up for. They may be wider than needed, less so the
shorter the stretch of time is. Source: Moore R.E., Kearfott R.B., Cloud M.J. 2009, "Introduction to Interval Analysis",
SIAM; that a function is defined and continuous all through is carried along as in IEEE 1788 ("decorations").
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.engine.compiler.graph import ON_TIME
from ldnsim.engine.compiler.kernel import NUMPY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ldnsim.engine.compiler.graph import Graph, Node

__all__ = ["Bounds", "narrowed", "spans", "values"]

ROUNDING = 1e-15  # a bit more than an operation's own
TURN = 2 * math.pi
TURN_ROUNDING = 1e-9  # of a turn: where a crest might be


class Bounds(NamedTuple):
    """low and high of each stretch of time, NaN where there is no value at all; sure: whether the function is
    continuous all through the stretch, or has no value anywhere in it. Truth is 1, and not known from 0 to 1.
    """

    low: np.ndarray
    high: np.ndarray
    sure: np.ndarray


def values(graph: Graph, roots: Sequence[Node], time: np.ndarray, given: Mapping[Node, np.ndarray]) -> list[np.ndarray]:
    """The roots at each of the times, with parameters `given` (times,): as kernels compute them."""
    known: dict[Node, Any] = dict(given)
    with np.errstate(all="ignore"):
        for node in graph.reached(roots, given):
            operation, *arguments = graph.nodes[node]
            if operation == "num":
                known[node] = np.full(len(time), arguments[0])
            elif operation == "t":
                known[node] = time
            else:
                known[node] = NUMPY[operation](*(known[argument] for argument in arguments))
    return [known[root] for root in roots]


def spans(
    graph: Graph, roots: Sequence[Node], low: np.ndarray, high: np.ndarray, given: Mapping[Node, np.ndarray]
) -> list[Bounds]:
    """The roots from low to high (stretches,), h, with parameters `given` (stretches,)."""
    sure = np.ones(len(low), bool)
    reached = graph.reached(roots, given)
    fixed = [node for node in reached if not graph.depends[node] & ON_TIME] + [root for root in roots if root in given]
    known = {
        node: Bounds(value, value, sure) for node, value in zip(fixed, values(graph, fixed, low, given), strict=True)
    }
    known |= {node: Bounds(value, value, sure) for node, value in given.items()}
    with np.errstate(all="ignore"):
        for node in reached:
            if node not in known:
                known[node] = _span(graph, node, known, Bounds(low, high, sure))
    return [known[root] for root in roots]


def narrowed(span: Bounds, centre: Bounds, slope: Bounds, width: np.ndarray) -> Bounds:
    """A function's span from what it is in the middle of the stretch, and how fast it changes: narrower than what its
    parts tell where the stretch is short (the mean value form).
    """
    with np.errstate(all="ignore"):
        most = np.maximum(np.abs(slope.low), np.abs(slope.high)) * width  # twice as far as the ends are
        low, high = centre.low - most, centre.high + most
    fine = span.sure & slope.sure & np.isfinite(low) & np.isfinite(high)
    low, high = (
        np.where(fine, np.maximum(low, span.low), span.low),
        np.where(fine, np.minimum(high, span.high), span.high),
    )
    return Bounds(low, high, span.sure)


def _span(graph: Graph, node: Node, known: Mapping[Node, Bounds], time: Bounds) -> Bounds:
    operation, *arguments = graph.nodes[node]
    if operation == "t":
        return time
    given = [known[argument] for argument in arguments]
    if operation == "mul" and arguments[0] == arguments[1]:
        return _square(given[0])
    if operation in RISING:
        return _rising(operation, given[0])
    match operation:
        case "sin":
            return _wave(given[0], np.sin, 0.25)
        case "cos":
            return _wave(given[0], np.cos, 0.0)
        case "lt" | "gt" | "eq":
            return _compared(operation, *given)
        case "select":
            return _selected(*given)
    return COMBINED[operation](*given)


def _hull(corners: Sequence[np.ndarray], sure: np.ndarray) -> Bounds:
    """From the least to the largest, and what they may lack by rounding. Nothing is lacking at 0."""
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    low = low - ROUNDING * np.where(np.isfinite(low), np.abs(low), 0.0)
    high = high + ROUNDING * np.where(np.isfinite(high), np.abs(high), 0.0)
    return Bounds(low, high, sure)


def _anything(span: Bounds, where: np.ndarray) -> Bounds:
    """Not known there: any value or none."""
    return Bounds(np.where(where, -np.inf, span.low), np.where(where, np.inf, span.high), span.sure & ~where)


def _add(a: Bounds, b: Bounds) -> Bounds:
    total = _hull([a.low + b.low, a.high + b.high], a.sure & b.sure)
    return _anything(total, np.isnan(total.low + total.high) & ~_valueless(a, b))


def _sub(a: Bounds, b: Bounds) -> Bounds:
    return _add(a, _neg(b))


def _neg(a: Bounds) -> Bounds:
    return Bounds(-a.high, -a.low, a.sure)


def _mul(a: Bounds, b: Bounds) -> Bounds:
    product = _hull([x * y for x in (a.low, a.high) for y in (b.low, b.high)], a.sure & b.sure)
    nothing = (_endless(a) & _through_zero(b)) | (_endless(b) & _through_zero(a))  # 0 * infinity, within or at an end
    return _anything(product, (np.isnan(product.low) | nothing) & ~_valueless(a, b))


def _endless(a: Bounds) -> np.ndarray:
    return np.asarray(np.isinf(a.low) | np.isinf(a.high))


def _through_zero(a: Bounds) -> np.ndarray:
    return np.asarray((a.low <= 0) & (a.high >= 0))


def _square(a: Bounds) -> Bounds:
    low, high = a.low * a.low, a.high * a.high
    within = (a.low <= 0) & (a.high >= 0)
    return _hull([np.where(within, 0.0, np.minimum(low, high)), np.maximum(low, high)], a.sure)


def _reciprocal(a: Bounds) -> Bounds:
    return _anything(_hull([1 / a.low, 1 / a.high], a.sure), (a.low <= 0) & (a.high >= 0))


def _valueless(*spans: Bounds) -> np.ndarray:
    return np.asarray(np.any([np.isnan(span.low) for span in spans], axis=0))


# functions that rise all through -> from where on they have a value
RISING = {"exp": -math.inf, "tanh": -math.inf, "log": 0.0, "log10": 0.0, "sqrt": 0.0}


def _rising(operation: str, a: Bounds) -> Bounds:
    begin = RISING[operation]
    found = _hull([NUMPY[operation](np.maximum(a.low, begin)), NUMPY[operation](a.high)], a.sure)
    nothing = a.high < begin
    found = Bounds(np.where(nothing, np.nan, found.low), np.where(nothing, np.nan, found.high), a.sure)
    return _anything(found, (a.low < begin) & ~nothing)


def _wave(a: Bounds, function: Any, crest: float) -> Bounds:
    """sin or cos, with its crests at `crest` and every whole turn on."""
    ends = _hull([function(a.low), function(a.high)], a.sure)
    turns = a.low / TURN - TURN_ROUNDING, a.high / TURN + TURN_ROUNDING

    def passes(phase: float) -> np.ndarray:
        return np.asarray(np.floor(turns[1] - phase) > np.floor(turns[0] - phase))

    low, high = np.where(passes(crest + 0.5), -1.0, ends.low), np.where(passes(crest), 1.0, ends.high)
    span = Bounds(np.maximum(low, -1.0), np.minimum(high, 1.0), a.sure)
    endless = np.isinf(a.low) | np.isinf(a.high)
    return Bounds(np.where(endless, -1.0, span.low), np.where(endless, 1.0, span.high), span.sure & ~endless)


def _pow(a: Bounds, b: Bounds) -> Bounds:
    corners = [np.power(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
    fixed, whole = b.low == b.high, b.low == np.rint(b.low)
    through = (a.low <= 0) & (a.high >= 0)
    rises = b.low > 0
    found = _hull([*corners, np.where(fixed & whole & through & rises, 0.0, corners[0])], a.sure & b.sure)
    positive = (a.low > 0) | ((a.low == 0) & rises)
    # 1 to any power is 1, and so is anything to the power of 0: also of what has no value
    one = (np.isnan(b.low) & (a.low <= 1) & (a.high >= 1)) | (np.isnan(a.low) & (b.low <= 0) & (b.high >= 0))
    fine = positive | (fixed & whole & (rises | ~through)) | _valueless(a, b)
    never = fixed & ~whole & (a.high < 0) & (a.low > -np.inf)  # minus infinity has a power
    found = Bounds(np.where(never, np.nan, found.low), np.where(never, np.nan, found.high), found.sure)
    return _anything(found, one | (~fine & ~never))


def _compared(operation: str, a: Bounds, b: Bounds) -> Bounds:
    match operation:
        case "lt":
            true, false = a.high < b.low, ~(a.low < b.high)
        case "gt":
            true, false = a.low > b.high, ~(a.high > b.low)
        case _:
            true, false = (
                (a.low == a.high) & (b.low == b.high) & (a.low == b.low),
                ~((a.low <= b.high) & (b.low <= a.high)),
            )
    return Bounds(np.where(true, 1.0, 0.0), np.where(false, 0.0, 1.0), a.sure & b.sure & (true | false))


def _selected(condition: Bounds, then: Bounds, otherwise: Bounds) -> Bounds:
    """What is chosen; where that is not known, both, with what may be a jump between them."""
    if condition.low.dtype == bool:
        yes, no = condition.low, ~condition.low
    else:
        yes, no = condition.low > 0, condition.high <= 0
    both = ~(yes | no)
    span = Bounds(*(np.where(yes, a, b) for a, b in zip(then, otherwise, strict=True)))
    low, high = np.minimum(then.low, otherwise.low), np.maximum(then.high, otherwise.high)
    span = Bounds(np.where(both, low, span.low), np.where(both, high, span.high), span.sure & ~both)
    return _anything(span, both & np.isnan(low + high))


COMBINED: dict[str, Callable[..., Bounds]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "neg": _neg,
    "reciprocal": _reciprocal,
    "pow": _pow,
}
