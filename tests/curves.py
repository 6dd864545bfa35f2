"""Curves in closed form, as the solver records them; and what it recorded, read by Lagrange's formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ldnsim.engine.pieces import Pieces
from ldnsim.metrics.mesh import Mesh
from ldnsim.metrics.signal import Signal


def curve_through(function: Callable[[np.ndarray], np.ndarray], edges: np.ndarray) -> Signal:
    """One row with pieces between `edges`, each the polynomial through the function at its nodes."""
    mesh = Mesh(np.array([0]), np.array([len(edges) - 1]), edges[:-1], edges[1:])
    return Signal(mesh, function(mesh.times()))


def evaluate(pieces: Pieces, person: int, times: np.ndarray) -> np.ndarray:
    """The outputs (outputs, times) of one person at times within the windows, h, before an event at that time."""
    times = np.asarray(times, float)
    own = slice(pieces.first[person], pieces.last[person])
    start, end, values = pieces.start[own], pieces.end[own], pieces.values[:, own]
    piece = np.minimum(np.searchsorted(end, times), max(0, len(end) - 1))
    if len(times) and (not len(end) or not np.all((start[piece] <= times) & (times <= end[piece]))):
        raise ValueError("a time lies outside the windows that were recorded")
    x = (times - start[piece]) / (end[piece] - start[piece])
    basis = np.ones((len(times), len(pieces.nodes)))
    for node, at in enumerate(pieces.nodes):
        for other in np.delete(pieces.nodes, node):
            basis[:, node] *= (x - other) / (at - other)
    return np.asarray(np.einsum("otn,tn->ot", values[:, piece], basis))
