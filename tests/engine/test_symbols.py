"""Graph, derivatives and LU: symbols against numbers."""

from __future__ import annotations

import numpy as np
import pytest
from systems import library, random_people, system_from

from ldnsim.engine.compiler.derivative import TIME, gradients
from ldnsim.engine.compiler.graph import Graph, system_graph
from ldnsim.engine.compiler.kernel import Kernel
from ldnsim.engine.compiler.lu import factor
from ldnsim.engine.rhythm import repeats_daily
from ldnsim.foundation.expressions import parse_equations

EVERYTHING = system_from(
    """
    a = exp(-x/k) + log(1 + x^2) + log10(2 + y) + sqrt(1 + x) + sin(y*t) + cos(2*pi*(t - k)/day)
    b = tanh(x*y) + abs(x - y) + min(x, y, k) + max(x, 2*y) + ifelse(x < y, x^3, y^k)
    d/dt(x) = a*b/(1 + x^k + y^1.5) - x^(-2)
    d/dt(y) = x^y/(y + k)^2 - b
    """,
    {"k": 2.7},
    {"x": 0.8, "y": 1.3},
)


def numbers(graph: Graph, nodes: list[int], t: float, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Values of nodes by the kernels' plain Python: one lane."""
    inputs = {graph.node("t"): 0} | {graph.node("y", i): 1 + i for i in range(len(y))}
    inputs |= {graph.node("p", i): 1 + len(y) + i for i in range(len(p))}
    table = np.zeros((1 + len(y) + len(p) + len(nodes), 1))
    table[: 1 + len(y) + len(p), 0] = [t, *y, *p]
    Kernel("test", graph, {1 + len(y) + len(p) + i: node for i, node in enumerate(nodes)}, inputs)(table)
    return table[1 + len(y) + len(p) :, 0]


@pytest.mark.parametrize("name", ["everything", *library()])
def test_jacobian_and_time_derivative_agree_with_differences(name):
    system, p = (EVERYTHING, np.array([2.7])) if name == "everything" else library()[name]
    graph, slopes, _ = system_graph(system, [])
    found = gradients(graph, slopes)
    rng = np.random.default_rng(4)
    y = np.asarray(system.initial) + rng.uniform(0.05, 0.2, len(system.states)) * np.asarray(system.scale)
    t = 7.3

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        return numbers(graph, slopes, t, y, p)

    for variable in (TIME, *range(len(y))):
        nodes = [row.get(variable, graph.num(0)) for row in found]
        exact = numbers(graph, nodes, t, y, p)
        if variable == TIME:
            h = 1e-5
            differences = (slope(t + h, y) - slope(t - h, y)) / (2 * h)
        else:
            h = 1e-6 * system.scale[variable]
            step = np.eye(len(y))[variable] * h
            differences = (slope(t, y + step) - slope(t, y - step)) / (2 * h)
        np.testing.assert_allclose(exact, differences, rtol=1e-5, atol=1e-7 * np.abs(exact).max() + 1e-9)


def test_gradients_hold_no_entry_that_is_always_zero():
    system, _ = library()["pet_pool"]
    graph, slopes, _ = system_graph(system, [])
    entries = sum(len(row) for row in gradients(graph, slopes))
    assert entries < 0.4 * len(slopes) ** 2


def test_slopes_of_powers_and_roots_at_zero_are_finite():
    system = system_from("d/dt(x) = x^n + sqrt(x) + x^1.5", {"n": 1.0}, {"x": 0.0})
    graph, slopes, _ = system_graph(system, [])
    (gradient,) = gradients(graph, slopes)
    assert (
        numbers(graph, [gradient[0]], 0, np.zeros(1), np.array([1.0]))[0] == 1.0
    )  # x^1 has slope 1, the others are left out


@pytest.mark.parametrize("size", [1, 2, 7, 20])
@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_lu_solves_as_numpy_does(size, density):
    rng = np.random.default_rng(size)
    matrix = rng.normal(size=(size, size)) * (rng.random((size, size)) < density) + np.eye(size) * (size + 2)
    graph = Graph()
    places = [(i, j) for i in range(size) for j in range(size) if matrix[i, j]]
    rows = [{j: graph.node("p", places.index((i, j))) for j in range(size) if matrix[i, j]} for i in range(size)]
    right = rng.normal(size=size)
    x = factor(graph, rows).solve(graph, [graph.num(value) for value in right])
    found = numbers(graph, x, 0.0, np.zeros(0), np.array([matrix[place] for place in places]))
    np.testing.assert_allclose(found, np.linalg.solve(matrix, right), rtol=1e-12)


def test_library_systems_factor_almost_without_fill():
    for system, _ in library().values():
        graph, slopes, _ = system_graph(system, [])
        rows = [{j: node for j, node in row.items() if j != TIME} for row in gradients(graph, slopes)]
        before = sum(len(row.keys() | {i}) for i, row in enumerate(rows))
        factors = factor(graph, [row | {i: row.get(i, graph.node("t"))} for i, row in enumerate(rows)])
        after = len(rows) + sum(len(row) for row in (*factors.lower, *factors.upper))
        assert after <= before + 3


class TestGraph:
    def node(self, text: str):
        graph = Graph()
        names = {name: graph.node("y", i) for i, name in enumerate("abc")} | {
            "t": graph.node("t"),
            "k": graph.node("p", 0),
        }
        return graph, graph.expression(parse_equations(f"z = {text}")[0].expression, names)

    def test_equal_expressions_are_one_node(self):
        graph, node = self.node("(a + b)*c - (b + a)*c")
        first, second = graph.arguments(node)
        assert first == second

    def test_literals_fold_and_values_do_not(self):
        graph, node = self.node("2*3.5 - log(1)")
        assert graph.value(node) == 7
        graph, node = self.node("k*0")
        assert graph.value(node) is None  # k may be anything, NaN too

    def test_literals_without_a_value_stay_operations(self):
        graph = Graph()
        zero, minus = graph.num(0), graph.num(-8)
        nodes = [graph.function("log", zero), graph.div(graph.num(1), zero), graph.function("sqrt", minus)]
        nodes += [graph.power(minus, graph.num(0.3)), graph.function("exp", graph.num(1000))]
        assert [graph.value(node) for node in nodes] == [None] * 5

    @pytest.mark.parametrize(
        ("power", "operations"),
        [
            ("2", {"mul"}),
            ("8", {"mul"}),
            ("0.5", {"sqrt"}),
            ("1.5", {"mul", "sqrt"}),
            ("-1", {"reciprocal"}),
            ("2.2", {"pow"}),
        ],
    )
    def test_whole_and_half_powers_need_no_pow(self, power, operations):
        graph, node = self.node(f"a^({power})")
        assert {graph.nodes[n][0] for n in graph.reached([node])} - {"y", "num"} == operations


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("cos(2*pi*(t - k)/day)", True),
        ("sin(4*pi*t/day)*x + k", True),
        ("x", True),
        ("cos(2*pi*t/k)", False),
        ("cos(pi*t/day)", False),
        ("t", False),
        ("ifelse(t < 5, 1, 0)", False),
        ("cos(t*t)", False),
        ("exp(-x) + sin(x)", True),
    ],
)
def test_what_repeats_daily(text, repeats):
    assert repeats_daily(system_from(f"out = {text}\nd/dt(x) = 1 - x", {"k": 24.0}, {"x": 1}), ["out"]) == repeats
    assert repeats_daily(system_from(f"d/dt(x) = {text}", {"k": 24.0}, {"x": 1}), []) == repeats


def test_random_people_are_positive():
    system, typical = library()["transient"]
    assert np.all(random_people(system, typical, 3, 1)[0] >= 0)
