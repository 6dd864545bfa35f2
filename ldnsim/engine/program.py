"""A system made ready for the driver: its kernels, and the table of rows that they and the driver share.

prepare   parameters -> what depends on them alone            once per person, and when a parameter changes
clock     time -> what depends on time and parameters alone   once per distinct stage time
first     states -> LU factors of W, df/dt and the first stage
stage     states of a later stage -> its solution
observe   states at a sample time -> outputs
guard     states within a step -> differences of what is compared, where equations compare states
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.engine.compiler.derivative import TIME, gradients
from ldnsim.engine.compiler.graph import COMPARISONS, ON_STATES, ON_TIME, Graph, Node, system_graph
from ldnsim.engine.compiler.kernel import Kernel, cut
from ldnsim.engine.compiler.lu import factor
from ldnsim.engine.pieces import NODE_COUNT
from ldnsim.engine.rodas5p import STAGES, D

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldnsim.model.system import System

__all__ = ["Program"]


class RowNumbers:
    """Where things stand in the table; each name is the first of its rows."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, rows: int) -> int:
        first = self.count
        self.count += rows
        return first


class Program:
    """Kernels and row numbers of one system with the outputs asked for, for `width` lanes. Driver and translator read
    its attributes.
    """

    def __init__(self, system: System, outputs: Sequence[str], width: int) -> None:
        self.width = width
        graph, slopes, shown = system_graph(system, outputs)
        self.graph = graph
        self.states, self.parameters, self.outputs = len(slopes), len(system.parameters), len(shown)
        n, rows = self.states, RowNumbers()
        guards = _differences(graph, slopes)
        self.guards = len(guards)
        # of the person and the step
        self.time, self.at, self.h, self.inverse_h, self.inverse_gamma_h = (rows.take(1) for _ in range(5))
        self.proposed, self.restart, self.stop, self.next_sample = (rows.take(1) for _ in range(4))
        self.next_piece, self.piece_stop, self.piece_end, self.window_end = (rows.take(1) for _ in range(4))
        self.y, self.y1, self.u, self.right, self.rate = (rows.take(n) for _ in range(5))
        self.k = rows.take(n * STAGES)
        self.p = rows.take(self.parameters)
        self.o, self.largest, self.roughness = (rows.take(self.outputs) for _ in range(3))
        self.curve = rows.take(self.outputs * NODE_COUNT)
        self._asked = (tuple(slopes), tuple(shown))
        self._kernels(graph, slopes, shown, guards, rows)
        self.count = rows.count

    def _kernels(
        self, graph: Graph, slopes: list[Node], shown: list[Node], guards: list[Node], rows: RowNumbers
    ) -> None:
        n = self.states
        inverse_gamma_h, h = graph.node("row", "inverse_gamma_h", 0), graph.node("row", "h", 0)
        rate = [graph.node("row", "rate", i) for i in range(n)]
        right = [graph.node("row", "right", i) for i in range(n)]
        slope_gradients = gradients(graph, slopes)
        change = {i: found[TIME] for i, found in enumerate(slope_gradients) if TIME in found}  # df/dt
        factors = factor(graph, _w_matrix(graph, slope_gradients, inverse_gamma_h))
        hd = graph.mul(h, graph.num(D[0]))
        begun = [graph.add(slopes[i], rate[i]) for i in range(n)]
        begun = [graph.add(begun[i], graph.mul(hd, change[i])) if i in change else begun[i] for i in range(n)]
        first_stage = factors.solve(graph, begun)
        # what of the factors is computed at the step's start: later stages read it from rows, their states being others
        kept = {node: graph.node("row", "factor", i) for i, node in enumerate(factors.nodes()) if graph.depends[node]}
        later_stage = factors.replaced(kept).solve(graph, [graph.add(slopes[i], right[i]) for i in range(n)])

        fixed = {graph.node("p", i): self.p + i for i in range(self.parameters)}
        ahead = cut(graph, [*first_stage, *later_stage, *factors.nodes(), *change.values(), *shown, *guards], 0)
        fixed |= _rows_of(ahead, rows)
        self.prepare = Kernel(
            "prepare",
            graph,
            {fixed[node]: node for node in ahead},
            {graph.node("p", i): self.p + i for i in range(self.parameters)},
        )
        at_time = fixed | {graph.node("t"): self.at}
        timed = [node for node in cut(graph, slopes, ON_TIME) if node not in fixed]
        timed_rows = _rows_of(timed, rows)
        self.clock = Kernel("clock", graph, {timed_rows[node]: node for node in timed}, at_time)
        kept_rows = _rows_of(list(kept.values()), rows)
        self.change = {i: rows.take(1) for i in change}  # state -> row of df/dt
        results = {kept_rows[row]: node for node, row in kept.items()}
        results |= {self.change[i]: node for i, node in change.items()}
        results |= {self.k + i: node for i, node in enumerate(first_stage)}
        states = {graph.node("y", i): self.y + i for i in range(n)}
        step = {inverse_gamma_h: self.inverse_gamma_h, h: self.h} | {rate[i]: self.rate + i for i in range(n)}
        self.first = Kernel("first", graph, results, at_time | states | step)
        inputs = at_time | timed_rows | kept_rows | {graph.node("y", i): self.u + i for i in range(n)}
        inputs |= {right[i]: self.right + i for i in range(n)}
        self.stage = Kernel("stage", graph, dict(enumerate(later_stage)), inputs, offset=True)
        self._observe(graph, shown, guards, at_time, rows)

    def _observe(
        self, graph: Graph, shown: list[Node], guards: list[Node], at_time: dict[Node, int], rows: RowNumbers
    ) -> None:
        reached = graph.reached([*shown, *guards], at_time)
        needed = [graph.nodes[node][1] for node in reached if graph.nodes[node][0] == "y"]
        self.observed = {
            state: (rows.take(1), rows.take(3)) for state in sorted(needed)
        }  # state -> its row, its interpolant's
        at_sample = at_time | {graph.node("y", i): row for i, (row, _) in self.observed.items()}
        self.observe = Kernel("observe", graph, {self.o + i: node for i, node in enumerate(shown)}, at_sample)
        if guards:
            self.g, self.g_before, self.g_earlier = (rows.take(len(guards)) for _ in range(3))
            self.flips, self.share = rows.take(1), rows.take(1)
            self.guard = Kernel("guard", graph, {self.g + i: node for i, node in enumerate(guards)}, at_sample)

    @property
    def text(self) -> str:
        """Everything that the compiled code depends on, as text: the graph with what is asked of it. Names play no
        part.
        """
        return f"{self.states} {self.parameters} {self.count} {self._asked} {self.graph.nodes}"

    def kernels(self) -> tuple[Kernel, ...]:
        always = self.prepare, self.clock, self.first, self.stage, self.observe
        return (*always, self.guard) if self.guards else always


def _rows_of(nodes: Sequence[Node], rows: RowNumbers) -> dict[Node, int]:
    first = rows.take(len(nodes))
    return {node: first + i for i, node in enumerate(nodes)}


def _differences(graph: Graph, slopes: Sequence[Node]) -> list[Node]:
    """Of each comparison on states in the equations, the difference of its sides."""
    compared = [
        graph.arguments(node)
        for node in graph.reached(slopes)
        if graph.nodes[node][0] in COMPARISONS.values() and graph.depends[node] & ON_STATES
    ]
    return list(dict.fromkeys(graph.sub(left, right) for left, right in compared))


def _w_matrix(graph: Graph, slope_gradients: list[dict[int, Node]], inverse_gamma_h: Node) -> list[dict[int, Node]]:
    """W = 1/(gamma h) - J as sparse rows."""
    rows = []
    for i, found in enumerate(slope_gradients):
        row = {
            j: graph.neg(entry) for j, entry in sorted(found.items()) if j not in (TIME, i) and graph.value(entry) != 0
        }
        row[i] = graph.sub(inverse_gamma_h, found[i]) if i in found else inverse_gamma_h
        rows.append(row)
    return rows
