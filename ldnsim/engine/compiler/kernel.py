"""Graph -> kernels: straight code without branches that reads rows of a table and writes rows, one person per lane.

Each kernel runs in two ways: as text of LLVM's intermediate language, and as plain Python over numpy rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.engine.compiler.ir import Value, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ldnsim.engine.compiler.graph import Graph, Node

__all__ = ["Kernel", "cut"]

COMPARISONS = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq"}
INTRINSICS = {"sqrt": "sqrt", "abs": "fabs"}
NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "reciprocal": np.reciprocal,
    "pow": np.power,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "select": np.where,
    "min": lambda a, b: np.where(a < b, a, b),
    "max": lambda a, b: np.where(a > b, a, b),
}


def cut(graph: Graph, roots: Sequence[Node], on: int) -> list[Node]:
    """What is worth computing ahead: nodes that depend on nothing beyond `on` and are roots or used by what does not.

    Comparisons are no numbers and stay where they are used; literals and parameters need no computing.
    """
    found = set()

    def ahead(node: Node) -> None:
        operation = graph.nodes[node][0]
        if operation in COMPARISONS:
            for argument in graph.arguments(node):
                ahead(argument)
        elif operation not in ("num", "p", "t"):
            found.add(node)

    later = [node for node in graph.reached(roots) if graph.depends[node] & ~on]
    used = {argument for node in later for argument in graph.arguments(node)}
    for node in (used | set(roots)) - set(later):
        ahead(node)
    return sorted(found)


class Kernel:
    """Computes `results` (row -> node) from `inputs` (node -> row).

    Called with the table and, where `offset` is set, with a row that all result rows are counted from.
    """

    def __init__(
        self, name: str, graph: Graph, results: Mapping[int, Node], inputs: Mapping[Node, int], *, offset: bool = False
    ) -> None:
        self.name, self.graph, self.results, self.inputs, self.offset = name, graph, results, inputs, offset
        self.order = graph.reached(results.values(), inputs)
        self.functions = sorted(
            {graph.nodes[node][0] for node in self.order} & {"exp", "log", "log10", "pow", "sin", "cos", "tanh"}
        )
        used = {argument for node in self.order for argument in graph.arguments(node)} | set(results.values())
        self.loaded = sorted(used & set(inputs))
        lost = [graph.nodes[node] for node in self.order if graph.nodes[node][0] in ("t", "p", "y", "row")]
        assert not lost, (name, lost)

    def __call__(self, table: np.ndarray, first: int = 0) -> None:
        """The kernel in plain Python: table (rows, lanes)."""
        values: dict[Node, Any] = {node: table[self.inputs[node]] for node in self.loaded}
        with np.errstate(all="ignore"):
            for node in self.order:
                operation, *arguments = self.graph.nodes[node]
                values[node] = arguments[0] if operation == "num" else NUMPY[operation](*(values[a] for a in arguments))
        computed = {row: np.array(np.broadcast_to(values[node], table.shape[1:])) for row, node in self.results.items()}
        for row, value in computed.items():
            table[first + row] = value

    def emit_call(self, translator: Writer, table: Value, first: Any = None) -> None:
        given = f"ptr {table.name}"
        if self.offset:
            given += f", i64 {translator.lift(first, 'i').name}"
        translator.lines.append(f"  call void @{self.name}({given})")

    def text(self, width: int, fused: bool) -> tuple[str, str]:
        """(an LLVM function, declarations that it needs)."""
        t = Writer(width, fused)
        table, base = Value("*F", "%table"), Value("*F", "%table")
        if self.offset:
            base = Value("*F", t.pointer(table, [Value("i", "%first")])[1])
        values = {node: t.load(table, [self.inputs[node]]) for node in self.loaded}
        for node in self.order:
            self._emit(t, node, values)
        for row, node in self.results.items():
            t.store(base, [row], values[node])
        arguments = "ptr %table, i64 %first" if self.offset else "ptr %table"
        text = f"define internal void @{self.name}({arguments}) #1 {{\nentry:\n" + "\n".join(
            [*t.lines, "  ret void", "}"]
        )
        return text, "\n".join(sorted(t.declared))

    def _emit(self, t: Writer, node: Node, values: dict[Node, Value]) -> None:
        operation, *arguments = self.graph.nodes[node]
        vector = t.type("F")
        if operation == "num":
            values[node] = t.lift(arguments[0], "F")
            return
        if operation in ("add", "sub") and (product := self._product(operation, arguments, values, t)) is not None:
            values[node] = product
            return
        given = [self._value(t, argument, values) for argument in arguments]
        names = ", ".join(value.name for value in given)
        if operation in ("add", "sub", "mul"):
            values[node] = t.emit("F", f"f{operation} {vector} {names}")
        elif operation == "neg":
            values[node] = t.emit("F", f"fneg {vector} {names}")
        elif operation == "reciprocal":
            values[node] = t.emit("F", f"fdiv {vector} {t.lift(1.0, 'F').name}, {names}")
        elif operation in COMPARISONS:
            values[node] = t.emit("B", f"fcmp {COMPARISONS[operation]} {vector} {names}")
        elif operation in ("min", "max"):
            smaller = t.emit("B", f"fcmp {'olt' if operation == 'min' else 'ogt'} {vector} {names}")
            values[node] = t.word_where(smaller, *given)
        elif operation == "select":
            values[node] = t.word_where(*given)
        elif operation in INTRINSICS:
            values[node] = t.intrinsic(INTRINSICS[operation], "F", "F", *given)
        else:
            listed = ", ".join(f"{vector} {value.name}" for value in given)
            values[node] = t.emit("F", f"call {vector} @{operation}_lanes({listed})")

    def _value(self, t: Writer, node: Node, values: dict[Node, Value]) -> Value:
        return values[node]

    def _product(self, operation: str, arguments: list[Node], values: dict[Node, Value], t: Writer) -> Value | None:
        """a + b*c as one fma (and a - b*c, b*c - a); None where no argument is a product computed here."""
        if not t.fused:
            return None
        first, second = arguments
        for product, other in ((second, first), (first, second)):
            if self.graph.nodes[product][0] != "mul" or product in self.inputs:
                continue
            b, c = (self._value(t, factor, values) for factor in self.graph.arguments(product))
            a = self._value(t, other, values)
            if operation == "sub" and product == second:
                b = t.emit("F", f"fneg {t.type('F')} {b.name}")
            elif operation == "sub":
                a = t.emit("F", f"fneg {t.type('F')} {a.name}")
            return t.intrinsic("fma", "F", "F", b, c, a)
        return None
