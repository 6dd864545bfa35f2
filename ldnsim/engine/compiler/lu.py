"""LU of a sparse matrix whose entries are nodes: elimination done once, in symbols, and run as straight code.

Pivots stay on the diagonal, in Markowitz's order (the fewest multiplications next), without looking at values. That is
sound for W = 1/(gamma h) - J: whatever J is, the diagonal leads as h shrinks, and a bad pivot shows as an error too
large.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ldnsim.engine.compiler.graph import Graph, Node

__all__ = ["Factors", "factor"]

Matrix = list[dict[int, "Node"]]  # rows: {column: entry}


class Factors(NamedTuple):
    """P W P' = L U with pivots in `order`; `lower[i]` are the multipliers of row i, `upper[i]` its entries right of the
    pivot.
    """

    order: list[int]
    lower: Matrix
    upper: Matrix
    inverse_pivot: list[Node]

    def nodes(self) -> list[Node]:
        entries = [entry for row in (*self.lower, *self.upper) for entry in row.values()]
        return sorted({*entries, *self.inverse_pivot})

    def replaced(self, names: Mapping[Node, Node]) -> Factors:
        """The same factors with other nodes standing for the same numbers."""
        lower, upper = (
            [{j: names.get(entry, entry) for j, entry in row.items()} for row in matrix]
            for matrix in (self.lower, self.upper)
        )
        return Factors(self.order, lower, upper, [names.get(pivot, pivot) for pivot in self.inverse_pivot])

    def solve(self, graph: Graph, right: Sequence[Node]) -> list[Node]:
        """Nodes of x with W x = right."""
        x = list(right)
        for i in self.order:
            for j, multiplier in self.lower[i].items():
                x[i] = graph.sub(x[i], graph.mul(multiplier, x[j]))
        for i in reversed(self.order):
            for j, entry in self.upper[i].items():
                x[i] = graph.sub(x[i], graph.mul(entry, x[j]))
            x[i] = graph.mul(x[i], self.inverse_pivot[i])
        return x


def factor(graph: Graph, matrix: Matrix) -> Factors:
    """Factors of a square matrix with a full diagonal; `matrix` is left as it was."""
    rows = [dict(row) for row in matrix]
    size = len(rows)
    left = set(range(size))
    order: list[int] = []
    lower: Matrix = [{} for _ in range(size)]
    upper: Matrix = [{} for _ in range(size)]
    inverse_pivot = [-1] * size
    while left:
        columns = {j: sum(j in rows[i] for i in left) for j in left}
        pivot = min(left, key=lambda i: ((len(rows[i]) - 1) * (columns[i] - 1), i))
        left.remove(pivot)
        order.append(pivot)
        inverse_pivot[pivot] = graph.reciprocal(rows[pivot].pop(pivot))
        upper[pivot] = rows[pivot]
        for i in sorted(left):
            if pivot not in rows[i]:
                continue
            multiplier = lower[i][pivot] = graph.mul(rows[i].pop(pivot), inverse_pivot[pivot])
            for j, entry in upper[pivot].items():
                change = graph.mul(multiplier, entry)
                rows[i][j] = graph.sub(rows[i][j], change) if j in rows[i] else graph.neg(change)
    return Factors(order, lower, upper, inverse_pivot)
