"""exp, log and the others over lanes: errors in units of the last place, against long doubles."""

from __future__ import annotations

import numpy as np
import pytest
from systems import system_from

from ldnsim.engine import native
from ldnsim.engine.events import Status

RNG = np.random.default_rng(2)
SPREAD = np.concatenate(
    [
        10 ** RNG.uniform(-300, 300, 3000),
        RNG.uniform(0.5, 2, 3000),
        1 + RNG.uniform(-1e-6, 1e-6, 1000),
        [5e-324, 1e-310, 1.0],
    ]
)
ANGLES = np.concatenate([RNG.uniform(-10, 10, 3000), RNG.uniform(-1e6, 1e6, 3000), np.arange(-20, 20) * np.pi / 4])


def computed(text: str, *columns: np.ndarray) -> np.ndarray:
    """The expression of a, b by native code, a person for each row."""
    system = system_from(f"out = {text}", dict.fromkeys("ab"[: len(columns)], 1.0), {})
    people = np.column_stack(columns)
    found = native.walk(system, people, np.zeros((len(people), 0)), [()] * len(people), np.zeros(1), ["out"], 1e-6)
    return found.values[:, 0, 0]


def in_last_places(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error in units of the last place of the exact result."""
    finite = np.isfinite(exact.astype(float))
    np.testing.assert_array_equal(found[~finite], exact[~finite].astype(float))
    unit = np.spacing(np.abs(exact[finite].astype(float)))
    return float(np.max(np.abs((found[finite].astype(np.longdouble) - exact[finite]) / unit)))


@pytest.mark.parametrize(
    ("function", "points", "allowed"),
    [
        ("exp", RNG.uniform(-740, 709.7, 8000), 1.5),
        ("exp", RNG.uniform(-1, 1, 8000), 1.5),
        ("log", SPREAD, 1.5),
        ("log10", SPREAD, 1.5),
        ("tanh", RNG.uniform(-25, 25, 6000), 3),
        ("tanh", 10 ** RNG.uniform(-12, 0, 4000), 3),
        ("sqrt", SPREAD, 0.51),
    ],
)
def test_errors_stay_near_one_unit_in_the_last_place(function, points, allowed):
    exact = getattr(np, function)(points.astype(np.longdouble))
    assert in_last_places(computed(f"{function}(a)", points), exact) <= allowed


@pytest.mark.parametrize("function", ["sin", "cos"])
def test_sines_are_exact_to_a_unit_of_their_range(function):
    exact = getattr(np, function)(ANGLES.astype(np.longdouble))
    assert np.max(np.abs(computed(f"{function}(a)", ANGLES) - exact)) < 1.5 * 2**-53


def test_powers_of_usual_size():
    base, exponent = 10 ** RNG.uniform(-4, 4, 20000), RNG.uniform(-4, 4, 20000)
    usual = np.abs(exponent * np.log(base)) < 30
    base, exponent = base[usual], exponent[usual]
    exact = base.astype(np.longdouble) ** exponent.astype(np.longdouble)
    assert in_last_places(computed("a^b", base, exponent), exact) <= 2


def test_powers_far_out():
    base, exponent = 10 ** RNG.uniform(-100, 100, 5000), RNG.uniform(-3, 3, 5000)
    exact = base.astype(np.longdouble) ** exponent.astype(np.longdouble)
    assert in_last_places(computed("a^b", base, exponent), exact) <= 20


@pytest.mark.parametrize(
    ("text", "a", "result"),
    [
        ("exp(a)", 1000.0, np.inf), ("exp(a)", -1000.0, 0.0), ("exp(a)", np.inf, np.inf), ("exp(a)", -np.inf, 0.0), ("exp(a)", np.nan, np.nan),
        ("log(a)", 0.0, -np.inf), ("log(a)", -1.0, np.nan), ("log(a)", np.inf, np.inf), ("log(a)", np.nan, np.nan),
        ("log10(a)", 0.0, -np.inf), ("log10(a)", 1000.0, 3.0), ("tanh(a)", 1e9, 1.0), ("tanh(a)", -1e9, -1.0), ("tanh(a)", 0.0, 0.0),
        ("a^2.5", 0.0, 0.0), ("a^(-2.5)", 0.0, np.inf), ("a^2.5", np.inf, np.inf), ("a^2.5", -1.0, np.nan), ("2^a", 3.0, 8.0), ("a^a", 0.0, 1.0),
        ("(-2)^a", 3.0, -8.0), ("(-2)^a", 4.0, 16.0), ("(-2)^a", -1.0, -0.5), ("(-2)^a", 0.5, np.nan), ("10^a", 400.0, np.inf), ("10^a", -400.0, 0.0),
        ("sin(a)", 0.0, 0.0), ("cos(a)", 0.0, 1.0), ("sin(a)", np.nan, np.nan), ("sqrt(a)", -1.0, np.nan), ("abs(a)", -3.0, 3.0),
        ("min(a, 2)", 1.0, 1.0), ("max(a, 2, 5)", 7.0, 7.0), ("ifelse(a < 2, 3, 4)", 2.0, 4.0), ("ifelse(a <= 2, 3, 4)", 2.0, 3.0), ("1/a", 0.0, np.inf),
    ],
)  # fmt: skip
def test_edges(text, a, result):
    np.testing.assert_array_equal(computed(text, np.array([a])), [result])


def test_a_value_that_is_not_finite_is_a_status():
    system = system_from("out = log(a)", {"a": 1.0}, {})
    found = native.solve(system, np.array([[1.0], [0.0], [2.0]]), np.zeros((3, 0)), [()] * 3, np.zeros(1), ["out"])
    assert found.status.tolist() == [Status.SOLVED, Status.NOT_FINITE, Status.SOLVED]
    assert np.isnan(found.values[1]).all()
