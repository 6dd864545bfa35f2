"""Systems that repeat daily, those that only look so, and orbits that cross zero."""

from __future__ import annotations

import numpy as np
import pytest

from ldnsim.engine.orbit import periodic_states
from ldnsim.engine.rhythm import ignores_time, repeats_daily
from ldnsim.foundation.expressions import Name, parse_equations, rename
from ldnsim.model.system import System


def system_of(text: str, initial: float = 1.0) -> System:
    """One state x and one output o from equations in x and t."""
    names = {"x": "part.x", "o": "part.o"}
    equations = {e.target: rename(e.expression, names) for e in parse_equations(text)}
    return System(
        states=("part.x",),
        initial=(initial,),
        scale=(1.0,),
        parameters=(),
        assignments=(("part.o", equations.get("o", Name("part.x"))),),
        derivatives=(equations["x"],),
        exports={"o": "part.o"},
        evidence={"o": "hypothesis"},
        rests_on={"o": frozenset({"part.o", "part.x"})},
    )


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("d/dt(x) = cos(2*pi*t/day) - x", True),
        ("d/dt(x) = cos(2*pi*(t - 3)/day*2) - x", True),
        ("d/dt(x) = cos(2*pi*t/day*1.5) - x", False),
        ("d/dt(x) = t - x", False),
        ("d/dt(x) = -x\no = sin(2*pi/day*ifelse(t > 48, t, t + 1))", False),
        ("d/dt(x) = -x\no = sin(2*pi/day*max(t, 48))", False),
        ("d/dt(x) = -x\no = ifelse(t > 48, 1, 2)", False),
    ],
)
def test_what_repeats_daily(text, repeats):
    assert repeats_daily(system_of(text), ("o",)) is repeats


@pytest.mark.parametrize("solver", ["native", "reference"])
def test_an_orbit_may_cross_zero(solver):
    system = system_of("d/dt(x) = 0.01*sin(2*pi*t/day) - 0.001*x", initial=0.5)
    states, status, reason = periodic_states(system, np.zeros((1, 0)), outputs=("o",), solver=solver)
    assert status[0] == 0, reason
    w = 2 * np.pi / 24
    assert states[0, 0] == pytest.approx(-0.01 * w / (w**2 + 1e-6), rel=1e-4)


@pytest.mark.parametrize(
    ("text", "ignores"),
    [
        ("d/dt(x) = -x", True),
        ("d/dt(x) = -x\no = 2*x + t", True),  # an output may be looked at by the clock
        ("d/dt(x) = -x*ifelse(x > 1, 2, 1)", True),
        ("d/dt(x) = cos(2*pi*t/day) - x", False),
        ("d/dt(x) = ifelse(t > 3, 1, 0) - x", False),
    ],
)
def test_whether_equations_use_the_time_is_asked_of_the_time(text, ignores):
    """It was asked of states, too, which change with time: no model with a state was without a clock."""
    assert ignores_time(system_of(text)) is ignores
