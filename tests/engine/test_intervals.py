"""Interval arithmetic on the graph holds every value that kernels compute."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ldnsim.engine.compiler.derivative import TIME, gradients
from ldnsim.engine.compiler.graph import Graph
from ldnsim.engine.intervals import narrowed, spans, values

P = 2.5
LEAVES = st.sampled_from(["t", "p", -2.0, -1.0, 0.0, 0.3, 1.0, 2.0, 3.0, 1e3])
UNARY = ["exp", "log", "log10", "sqrt", "sin", "cos", "tanh", "neg", "reciprocal"]
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(UNARY), inner),
        st.tuples(st.sampled_from(["add", "sub", "mul", "div", "power"]), inner, inner),
    ),
    max_leaves=8,
)


def node_of(graph: Graph, tree) -> int:
    if isinstance(tree, float):
        return graph.num(tree)
    if isinstance(tree, str):
        return graph.node("t") if tree == "t" else graph.node("p", 0)
    operation, *arguments = tree
    nodes = [node_of(graph, argument) for argument in arguments]
    if operation in ("neg", "reciprocal", "add", "sub", "mul", "div", "power"):
        return getattr(graph, operation)(*nodes)
    return graph.function(operation, *nodes)


@given(
    tree=TREES, low=st.floats(-50, 50), width=st.sampled_from([1e-9, 1e-3, 0.1, 1.0, 10.0, 100.0]), p=st.floats(-5, 5)
)
@example(tree=("power", "t", ("log", -2.0)), low=0.0, width=1.0, p=0.0)  # 1 to the power of what has no value is 1
@example(tree=("power", ("log", -2.0), "t"), low=-1.0, width=10.0, p=0.0)
@settings(max_examples=400, deadline=None, print_blob=True)
def test_no_value_is_outside(tree, low, width, p):
    graph = Graph()
    root = node_of(graph, tree)
    slope = gradients(graph, [root])[0].get(TIME, graph.num(0))
    times = np.linspace(low, low + width, 201)
    parameter = graph.node("p", 0)
    found, change = values(graph, [root, slope], times, {parameter: np.full(201, p)})
    ends, middle, given_value = (np.array([a]) for a in (low, low + width / 2, p))
    span, steep = spans(graph, [root, slope], ends, ends + width, {parameter: given_value})
    (centre,) = spans(graph, [root], middle, middle, {parameter: given_value})
    for either in (span, narrowed(span, centre, steep, np.array([width]))):
        if np.isnan(either.low[0]):
            assert np.isnan(found).all()
            continue
        if either.sure[0]:
            assert not np.isnan(found).any()
        some = found[~np.isnan(found)]
        assert np.all((either.low[0] <= some) & (some <= either.high[0]))
    if steep.sure[0] and not np.isnan(steep.low[0]):
        some = change[~np.isnan(change)]
        assert np.all((steep.low[0] <= some) & (some <= steep.high[0]))
