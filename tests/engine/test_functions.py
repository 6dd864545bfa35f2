"""exp, log and the others over lanes: errors in units of the last place, against long doubles of 64 bits.

The same functions are measured twice: as the native code that models run with, and uncompiled, as Python over numpy
arrays. Uncompiled, `fma` is rounded twice; here it is given its single rounding, so that both keep the same bounds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from systems import system_from

from ldnsim.engine import functions, lanes, native
from ldnsim.engine.events import Status

Compute = Callable[..., np.ndarray]  # (name of a function, columns of arguments) -> its values

RNG = np.random.default_rng(2)
POSITIVE = np.concatenate(
    [
        10 ** RNG.uniform(-300, 300, 3000),
        RNG.uniform(0.5, 2, 3000),
        1 + RNG.uniform(-1e-6, 1e-6, 1000),
        [5e-324, 1e-310, 1.0],
    ]
)
ANGLES = np.concatenate([RNG.uniform(-10, 10, 3000), RNG.uniform(-1e6, 1e6, 3000), np.arange(-20, 20) * np.pi / 4])
EXPONENTS = RNG.uniform(-740, 709.7, 8000)
SMALL = RNG.uniform(-1, 1, 8000)
TANH = RNG.uniform(-25, 25, 6000)
TANH_NEAR_0 = 10 ** RNG.uniform(-12, 0, 4000)
BASES, POWERS = 10 ** RNG.uniform(-4, 4, 20000), RNG.uniform(-4, 4, 20000)
USUAL = np.abs(POWERS * np.log(BASES)) < 30
FAR_BASES, FAR_POWERS = 10 ** RNG.uniform(-100, 100, 5000), RNG.uniform(-3, 3, 5000)

# function, points, the largest error allowed in units of the last place
ACCURACY = [
    ("exp", EXPONENTS, 1.5),
    ("exp", SMALL, 1.5),
    ("log", POSITIVE, 1.5),
    ("log10", POSITIVE, 1.5),
    ("tanh", TANH, 3),
    ("tanh", TANH_NEAR_0, 3),
]
OF_RANGE = 1.5 * 2**-53  # sin and cos: of 1, their largest value


def expression(text: str, *columns: np.ndarray) -> np.ndarray:
    """An expression of a and b by native code, a person per row."""
    system = system_from(f"out = {text}", dict.fromkeys("ab"[: len(columns)], 1.0), {})
    people = np.column_stack(columns)
    found = native.walk(system, people, np.zeros((len(people), 0)), [()] * len(people), np.zeros(1), ["out"], 1e-6)
    return found.values[:, 0, 0]


def by_native_code(name: str, *columns: np.ndarray) -> np.ndarray:
    return expression("a^b" if name == "pow" else f"{name}(a)", *columns)


def rounded_once(a: np.ndarray | float, b: np.ndarray | float, c: np.ndarray | float) -> np.ndarray:
    """a*b + c with the product's error (Dekker 1971) and the sum's (Knuth) added at the end."""
    a, b, c = (np.asarray(x, float) for x in (a, b, c))
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    total = product + c
    part = total - product
    rest = (product - (total - part)) + (c - part)
    result = total + (rest + lost)
    return np.where(np.isfinite(result), result, total)


def _halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    big = x * 134217729.0  # 2**27 + 1
    high = big - (big - x)
    return high, x - high


@pytest.fixture
def uncompiled(monkeypatch) -> Compute:
    """The functions as Python, with an `fma` that rounds once."""
    for module in (lanes, functions):
        monkeypatch.setattr(module, "fma", rounded_once)

    def compute(name: str, *columns: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.asarray(functions.FUNCTIONS[name](*columns), float)

    return compute


@pytest.fixture(params=["native", "uncompiled"])
def compute(request) -> Compute:
    return by_native_code if request.param == "native" else request.getfixturevalue("uncompiled")


def exactly(name: str, *columns: np.ndarray) -> np.ndarray:
    function = np.power if name == "pow" else getattr(np, name)
    return function(*(column.astype(np.longdouble) for column in columns))


def in_last_places(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error in units of the last place of the exact result."""
    finite = np.isfinite(exact.astype(float))
    np.testing.assert_array_equal(found[~finite], exact[~finite].astype(float))
    unit = np.spacing(np.abs(exact[finite].astype(float)))
    errors = np.abs((found[finite].astype(np.longdouble) - exact[finite]) / unit)
    return float(np.max(np.where(np.isnan(errors), np.inf, errors)))


def test_long_doubles_are_longer():
    """Without this the comparisons below would hold doubles against doubles."""
    if np.finfo(np.longdouble).nmant < 63:  # pragma: no cover - Windows, some ARM
        pytest.skip("long doubles are doubles here")
    assert in_last_places(np.exp(SMALL), exactly("exp", SMALL)) > 0.4


@pytest.mark.parametrize(("function", "points", "allowed"), ACCURACY)
def test_errors_stay_near_one_unit_in_the_last_place(compute, function, points, allowed):
    assert in_last_places(compute(function, points), exactly(function, points)) <= allowed


@pytest.mark.parametrize("function", ["sin", "cos"])
def test_sines_are_exact_to_a_unit_of_their_range(compute, function):
    assert np.max(np.abs(compute(function, ANGLES) - exactly(function, ANGLES))) < OF_RANGE


def test_powers_of_usual_size(compute):
    base, exponent = BASES[USUAL], POWERS[USUAL]
    assert in_last_places(compute("pow", base, exponent), exactly("pow", base, exponent)) <= 2


def test_powers_far_out(compute):
    assert in_last_places(compute("pow", FAR_BASES, FAR_POWERS), exactly("pow", FAR_BASES, FAR_POWERS)) <= 20


def test_square_roots_are_rounded_correctly():
    assert in_last_places(expression("sqrt(a)", POSITIVE), exactly("sqrt", POSITIVE)) <= 0.51


@pytest.mark.parametrize(
    ("series", "term", "function", "points"),
    [
        *(("EXP_TAYLOR", term, "exp", SMALL) for term in range(9)),
        *(("EXP_TAYLOR", term, "tanh", TANH_NEAR_0) for term in range(7)),
        *(("EXP_TAYLOR", term, "pow", None) for term in range(9)),
        *(("SIN_TAYLOR", term, "sin", ANGLES) for term in range(6)),
        *(("COS_TAYLOR", term, "cos", ANGLES) for term in range(6)),
        *(("ATANH_TAYLOR", term, "log", POSITIVE) for term in range(7)),
        *(("ATANH_TAYLOR", term, "log10", POSITIVE) for term in range(7)),
    ],
)
def test_a_wrong_coefficient_is_noticed(uncompiled, monkeypatch, series, term, function, points):
    """The bounds above are narrow: one coefficient wrong by a thousandth breaks them. The last terms of each series are
    left out: a thousandth of them is less than a double holds."""
    right = getattr(functions, series)
    monkeypatch.setattr(functions, series, (*right[:term], right[term] * 1.001, *right[term + 1 :]))
    columns = (BASES[USUAL], POWERS[USUAL]) if points is None else (points,)
    found, exact = uncompiled(function, *columns), exactly(function, *columns)
    if function in ("sin", "cos"):
        assert np.max(np.abs(found - exact)) > OF_RANGE
    else:
        bound = {"pow": 2, **{name: allowed for name, _, allowed in ACCURACY}}[function]
        assert in_last_places(found, exact) > bound


@pytest.mark.parametrize(
    ("text", "a", "result"),
    [
        ("exp(a)", 1000.0, np.inf),
        ("exp(a)", -1000.0, 0.0),
        ("exp(a)", np.inf, np.inf),
        ("exp(a)", -np.inf, 0.0),
        ("exp(a)", np.nan, np.nan),
        ("log(a)", 0.0, -np.inf),
        ("log(a)", -1.0, np.nan),
        ("log(a)", np.inf, np.inf),
        ("log(a)", np.nan, np.nan),
        ("log10(a)", 0.0, -np.inf),
        ("log10(a)", 1000.0, 3.0),
        ("tanh(a)", 1e9, 1.0),
        ("tanh(a)", -1e9, -1.0),
        ("tanh(a)", 0.0, 0.0),
        ("a^2.5", 0.0, 0.0),
        ("a^(-2.5)", 0.0, np.inf),
        ("a^2.5", np.inf, np.inf),
        ("a^2.5", -1.0, np.nan),
        ("2^a", 3.0, 8.0),
        ("a^a", 0.0, 1.0),
        ("(-2)^a", 3.0, -8.0),
        ("(-2)^a", 4.0, 16.0),
        ("(-2)^a", -1.0, -0.5),
        ("(-2)^a", 0.5, np.nan),
        ("10^a", 400.0, np.inf),
        ("10^a", -400.0, 0.0),
        ("sin(a)", 0.0, 0.0),
        ("cos(a)", 0.0, 1.0),
        ("sin(a)", np.nan, np.nan),
        ("sqrt(a)", -1.0, np.nan),
        ("abs(a)", -3.0, 3.0),
        ("min(a, 2)", 1.0, 1.0),
        ("max(a, 2, 5)", 7.0, 7.0),
        ("ifelse(a < 2, 3, 4)", 2.0, 4.0),
        ("ifelse(a <= 2, 3, 4)", 2.0, 3.0),
        ("1/a", 0.0, np.inf),
    ],
)
def test_edges(text, a, result):
    np.testing.assert_array_equal(expression(text, np.array([a])), [result])


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("exp", (1000.0,), np.inf),
        ("exp", (-1000.0,), 0.0),
        ("exp", (np.nan,), np.nan),
        ("log", (0.0,), -np.inf),
        ("log", (-1.0,), np.nan),
        ("log", (np.inf,), np.inf),
        ("log10", (1000.0,), 3.0),
        ("tanh", (-1e9,), -1.0),
        ("tanh", (0.0,), 0.0),
        ("pow", (-2.0, 3.0), -8.0),
        ("pow", (-2.0, 0.5), np.nan),
        ("pow", (0.0, 0.0), 1.0),
        ("pow", (0.0, -2.5), np.inf),
        ("sin", (0.0,), 0.0),
        ("cos", (0.0,), 1.0),
        ("sin", (np.nan,), np.nan),
    ],
)
def test_edges_as_functions(compute, name, arguments, result):
    np.testing.assert_array_equal(compute(name, *(np.array([argument]) for argument in arguments)), [result])


def test_a_value_that_is_not_finite_is_a_status():
    system = system_from("out = log(a)", {"a": 1.0}, {})
    found = native.solve(system, np.array([[1.0], [0.0], [2.0]]), np.zeros((3, 0)), [()] * 3, np.zeros(1), ["out"])
    assert found.status.tolist() == [Status.SOLVED, Status.NOT_FINITE, Status.SOLVED]
    assert np.isnan(found.values[1]).all()
