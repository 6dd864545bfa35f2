"""Comparisons on states: no window that a state passes is stepped over, in either solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from systems import library, system_from

from ldnsim.engine import native, reference
from ldnsim.engine.events import Event, Kind, Status
from ldnsim.engine.guard import POINTS, share_of
from ldnsim.engine.pieces import shared_windows
from ldnsim.engine.program import Program
from tests.curves import evaluate

SOLVERS = pytest.mark.parametrize("solve", [native.solve, reference.solve], ids=["native", "reference"])
NOTHING = np.zeros((1, 0))


@SOLVERS
@given(level=st.floats(0.5, 9), width=st.floats(1e-4, 0.5))
@settings(max_examples=15, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_a_window_of_a_state_that_rises_through_it(solve, level, width):
    """y = 10 - 10 exp(-t/10) passes from `level` on, in a known time, during which 1/width is made."""
    text = "d/dt(y) = 1 - 0.1*y\nd/dt(z) = ifelse(y > a, ifelse(y < a + w, 1/w, 0), 0) - 0.01*z"
    system = system_from(text, {"a": level, "w": width}, {"y": 0.0, "z": 0.0})
    enters, leaves = (-10 * np.log(1 - edge / 10) for edge in (level, level + width))
    expected = (np.exp(-0.01 * (50 - leaves)) - np.exp(-0.01 * (50 - enters))) / 0.01 / width + np.exp(-0.5)
    one, start, ends = np.array([[level, width]]), np.array([[0.0, 1.0]]), np.array([0.0, 50.0])
    for schedule in ((), [Event(40.0, Kind.ADD, 1, 0.0)]):
        found = solve(system, one, start, [schedule], ends, ["z"], 1e-6)
        assert found.status.tolist() == [Status.SOLVED], found.reason
        assert found.values[0, -1, 0] == pytest.approx(expected, rel=1e-4)


@SOLVERS
def test_a_state_that_only_just_looks_in(solve):
    """An oscillation that exceeds a level for a few per cent of each turn."""
    text = "d/dt(x) = v\nd/dt(v) = -x\nd/dt(z) = ifelse(x > 0.999, 1, 0)"
    system = system_from(text, {}, {"x": 0.0, "v": 1.0, "z": 0.0})
    found = solve(system, NOTHING, np.array([[0.0, 1.0, 0.0]]), [()], np.array([0.0, 20 * np.pi]), ["z"], 1e-8)
    assert found.values[0, -1, 0] == pytest.approx(10 * 2 * np.arccos(0.999), rel=1e-3)


def by_radau(times: np.ndarray) -> np.ndarray:
    """x and y of the test below, (2, times): started anew where x passes 4 and where y passes x/2."""

    def edges(t, s, *_):
        return s[0] - 4, s[1] - 0.5 * s[0]

    def change(t, s, above, behind):
        return [3 - (0.2 if above else 0.3) * s[0], (0.4 if behind else 0.3) - 0.02 * s[1]]

    events = [lambda *given, number=number: edges(*given)[number] for number in (0, 1)]
    for event in events:
        event.terminal = True
    now, state, mode, found = 0.0, np.array([0.0, 0.1]), [False, True], []
    while now < times[-1]:
        tight = {"method": "Radau", "rtol": 1e-11, "atol": 1e-13, "dense_output": True}
        run = solve_ivp(change, (now, times[-1]), state, events=events, args=mode, **tight)
        at = times[(times > now - (not found)) & (times <= run.t[-1])]
        if len(at):
            found.append(run.sol(at))
        mode = [was ^ (len(passed) > 0) for was, passed in zip(mode, run.t_events, strict=True)]
        now, state = run.t[-1], run.y[:, -1] + 1e-12 * np.array(change(0, run.y[:, -1], *mode))  # beyond the edge
    return np.hstack(found)


@SOLVERS
def test_a_switch_agrees_with_radau_at_a_tight_tolerance(solve):
    text = "d/dt(x) = 3 - ifelse(x > 4, 0.2, 0.3)*x\nd/dt(y) = ifelse(y > 0.5*x, 0.4, 0.3) - 0.02*y"
    system = system_from(text, {}, {"x": 0.0, "y": 0.1})

    times = np.linspace(0, 40, 41)
    exact = by_radau(times)
    windows = shared_windows(1, [(0.0, 40.0)])
    found = solve(system, NOTHING, np.array([[0.0, 0.1]]), [()], times, ["x", "y"], 1e-9, windows=windows)
    np.testing.assert_allclose(found.values[0].T, exact, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(evaluate(found.pieces, 0, times), exact, rtol=1e-6, atol=1e-7)


def test_bits_do_not_depend_on_company():
    text = "d/dt(y) = k - 0.1*y\nd/dt(z) = ifelse(y > 3, ifelse(y < 3.01, 100, 0), 0)"
    system = system_from(text, {"k": 1.0}, {"y": 0.0, "z": 0.0})
    p, y, times = np.linspace(0.5, 2, 50)[:, None], np.zeros((50, 2)), np.linspace(0, 30, 7)
    whole = native.solve(system, p, y, [()] * 50, times, ["z"])
    for person in (0, 23, 49):
        alone = native.solve(system, p[[person]], y[:1], [()], times, ["z"])
        assert alone.values[0].tobytes() == whole.values[person].tobytes()
    made = 100 * 10 * np.log((10 * p[:, 0] - 3) / (10 * p[:, 0] - 3.01))
    np.testing.assert_allclose(whole.values[:, -1, 0], made, rtol=1e-3)


def test_systems_that_compare_no_states_have_no_guard():
    for system, _ in library().values():
        assert Program(system, (), 4).guards == 0
    kinks = system_from("d/dt(x) = max(x, 1) - abs(x)*min(x, 2) + ifelse(k > 1, 1, 0)", {"k": 1.0}, {"x": 0.0})
    assert Program(kinks, (), 4).guards == 0


def test_how_much_of_a_step_is_allowed():
    x = np.linspace(0, 1, POINTS + 1)[:, None]
    assert share_of(x - 2) == 1
    assert share_of(x - 0.3) == 1  # one change
    assert 0.3 < share_of((x - 0.3) * (x - 0.7)) < 0.7  # ends between the two
    assert share_of(np.hstack([x - 0.3, x - 0.31])) < 0.3  # both in one stretch: before it
    assert share_of(np.hstack([x - 0.3, x - 0.9])) < 0.9
    assert share_of((x - 0.56) ** 2 - 1e-5) < 0.56  # between two points
    assert share_of((x - 0.56) ** 2 + 1e-5) == 1
    assert share_of(x * np.nan) == 1
