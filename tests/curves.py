"""Curves that tests know in closed form, as the solver records them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ldnsim.metrics.signal import Mesh, Signal


def curve_through(function: Callable[[np.ndarray], np.ndarray], edges: np.ndarray) -> Signal:
    """One row with pieces between `edges`, each the polynomial through the function at its nodes."""
    mesh = Mesh(np.array([0]), np.array([len(edges) - 1]), edges[:-1], edges[1:])
    return Signal(mesh, function(mesh.times()))
