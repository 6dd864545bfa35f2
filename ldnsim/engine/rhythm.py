"""Does a system, left alone, do the same every day? Seen from its equations, not from its values."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from ldnsim.engine.compiler.derivative import TIME, gradients
from ldnsim.engine.compiler.graph import DAY, ON_TIME, Graph, Node, system_graph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.model.system import System

__all__ = ["drifting", "ignores_time", "repeats_daily"]


_known: dict[tuple[int, tuple[str, ...]], tuple[System, bool]] = {}  # the system is held, so that its id stays its own
MOST_KNOWN = 64
_one_at_a_time = threading.Lock()
BROKEN = {"ifelse", "min", "max", "abs", "lt", "le", "gt", "ge"}  # operations whose slope hides a jump or a kink


def repeats_daily(system: System, outputs: Sequence[str]) -> bool:
    """Whether time enters derivatives and outputs only as the angle of a sine or cosine that turns whole times a day.

    On a drug-free orbit of 24 h every day then is the first one again.
    """
    key = id(system), tuple(outputs)
    with _one_at_a_time:
        if key not in _known:
            while len(_known) >= MOST_KNOWN:
                del _known[next(iter(_known))]
            _known[key] = system, _looked_at(system, outputs)
        return _known[key][1]


def ignores_time(system: System) -> bool:
    """Whether the time itself enters no derivative. States change with time, too: they do not count."""
    graph, slopes, _ = system_graph(system, ())
    return not any(graph.nodes[node][0] == "t" for node in graph.reached(slopes))


def _looked_at(system: System, outputs: Sequence[str]) -> bool:
    graph, slopes, shown = system_graph(system, outputs)
    roots = [*slopes, *shown]
    drifts = drifting(graph, roots)
    return not any(drifts[root] for root in roots)


def drifting(graph: Graph, roots: Sequence[Node]) -> dict[Node, bool]:
    """For each node that the roots rest on, whether it may differ from one day to the next at the same states."""
    drifts: dict[Node, bool] = {}
    for node in graph.reached(roots):
        operation = graph.nodes[node][0]
        drifts[node] = operation == "t" or any(drifts[argument] for argument in graph.arguments(node))
        if drifts[node] and operation in ("sin", "cos"):
            drifts[node] = not _whole_turns(graph, graph.arguments(node)[0])
    return drifts


def _whole_turns(graph: Graph, angle: Node) -> bool:
    if not graph.depends[angle] & ON_TIME:
        return True
    if any(graph.nodes[node][0] in BROKEN and graph.depends[node] & ON_TIME for node in graph.reached([angle])):
        return False
    speed = gradients(graph, [angle])[0].get(TIME)
    value = None if speed is None else graph.value(speed)
    if value is None:
        return False
    turns = value * DAY / (2 * math.pi)
    return abs(turns - round(turns)) < 1e-12 * max(1.0, abs(turns))
