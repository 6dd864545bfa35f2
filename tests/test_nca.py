"""Published worked examples, curves with known answers, and curves that have no answer.

Published numbers: S. Han, "Validation of Noncompartmental Analysis Performed by NonCompart R package", 2018-05-11
(github.com/asancpt/NonCompart-tests, validation.md), columns WinNonlin: Phoenix WinNonlin 6.3 and 7.0 on R's data sets
Theoph (test 2: log down, extravascular) and Indometh (test 8: log down, extravascular, 0 at time 0).
Concentrations: R package datasets, from Boeckmann, Sheiner and Beal (1994) and Kwan et al. (1976).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics import nca
from ldnsim.metrics.mesh import Mesh
from ldnsim.metrics.signal import Signal

THEOPH = {  # subject: times h, concentrations mg/L
    1: (
        [0, 0.25, 0.57, 1.12, 2.02, 3.82, 5.1, 7.03, 9.05, 12.12, 24.37],
        [0.74, 2.84, 6.57, 10.5, 9.66, 8.58, 8.36, 7.47, 6.89, 5.94, 3.28],
    ),
    2: (
        [0, 0.27, 0.52, 1, 1.92, 3.5, 5.02, 7.03, 9, 12, 24.3],
        [0, 1.72, 7.91, 8.31, 8.33, 6.85, 6.08, 5.4, 4.55, 3.01, 0.9],
    ),
    6: (
        [0, 0.27, 0.58, 1.15, 2.03, 3.57, 5, 7, 9.22, 12.1, 23.85],
        [0, 1.29, 3.08, 6.44, 6.32, 5.53, 4.94, 4.02, 3.46, 2.78, 0.92],
    ),
    8: (
        [0, 0.25, 0.52, 0.98, 2.02, 3.53, 5.05, 7.15, 9.07, 12.1, 24.12],
        [0, 3.05, 3.05, 7.31, 7.56, 6.59, 5.88, 4.73, 4.57, 3, 1.25],
    ),
    10: (
        [0, 0.37, 0.77, 1.02, 2.05, 3.55, 5.05, 7.08, 9.38, 12.1, 23.7],
        [0.24, 2.89, 5.22, 6.41, 7.83, 10.21, 9.18, 8.02, 7.14, 5.68, 2.42],
    ),
}
# subject: Cmax, Tmax, lambda_z, half-life, adjusted R2, points, lower, upper time, AUClast, AUCINF_obs, % extrapolated
THEOPH_PUBLISHED = {
    1: (10.5, 1.12, 0.0484570, 14.3043776, 0.9999995, 3, 9.05, 24.37, 147.2347485, 214.9236316, 31.4943883),
    2: (8.33, 1.92, 0.1040864, 6.6593416, 0.9957931, 4, 7.03, 24.3, 88.7312755, 97.3779346, 8.8794850),
    6: (6.44, 1.15, 0.0877957, 7.8949979, 0.9978896, 7, 2.03, 23.85, 71.6970150, 82.1758833, 12.7517562),
    8: (7.56, 2.02, 0.0814505, 8.5100379, 0.9887655, 6, 3.53, 24.12, 86.8065635, 102.1533003, 15.0232413),
    10: (10.21, 3.55, 0.0749598, 9.2469158, 0.9990174, 3, 9.38, 23.7, 135.5760701, 167.8600307, 19.2326669),
}

INDOMETH_TIME = [0, 0.25, 0.5, 0.75, 1, 1.25, 2, 3, 4, 5, 6, 8]
INDOMETH = {  # subject: concentrations ug/mL
    1: [0, 1.5, 0.94, 0.78, 0.48, 0.37, 0.19, 0.12, 0.11, 0.08, 0.07, 0.05],
    2: [0, 2.03, 1.63, 0.71, 0.7, 0.64, 0.36, 0.32, 0.2, 0.25, 0.12, 0.08],
    3: [0, 2.72, 1.49, 1.16, 0.8, 0.8, 0.39, 0.22, 0.12, 0.11, 0.08, 0.08],
    4: [0, 1.85, 1.39, 1.02, 0.89, 0.59, 0.4, 0.16, 0.11, 0.1, 0.07, 0.07],
    5: [0, 2.05, 1.04, 0.81, 0.39, 0.3, 0.23, 0.13, 0.11, 0.08, 0.1, 0.06],
    6: [0, 2.31, 1.44, 1.03, 0.84, 0.64, 0.42, 0.24, 0.17, 0.13, 0.1, 0.09],
}
INDOMETH_PUBLISHED = {
    1: (1.5, 0.25, 0.1583205, 4.3781270, 0.9941335, 3, 5, 8, 1.7193653, 2.0351804, 15.5177942),
    2: (2.03, 0.25, 0.3022800, 2.2930632, 0.9401933, 9, 0.75, 8, 2.8891436, 3.1537989, 8.3916343),
    3: (2.72, 0.25, 0.4218926, 1.6429468, 0.8603043, 10, 0.5, 8, 2.8817113, 3.0713330, 6.1739217),
    4: (1.85, 0.25, 0.4290762, 1.6154409, 0.8505077, 10, 0.5, 8, 2.4442459, 2.6073871, 6.2568848),
    5: (2.05, 0.25, 0.2527478, 2.7424461, 0.8544516, 8, 1, 8, 1.9211984, 2.1585892, 10.9974979),
    6: (2.31, 0.25, 0.3535205, 1.9606986, 0.8902329, 9, 0.75, 8, 2.8413138, 3.0958959, 8.2232127),
}


def as_published(found: nca.Exposure) -> list[float]:
    """In the order of the published rows."""
    end = found.terminal
    fields = (found.cmax, found.tmax, end.rate, end.half_life, end.r2, end.points, end.start, end.end)
    return [float(field) for field in (*fields, found.auc_last, found.auc_inf, 100 * found.extrapolated)]


@pytest.mark.parametrize("subject", THEOPH)
def test_theophylline_as_published(subject: int) -> None:
    found = nca.exposure(*THEOPH[subject])
    assert as_published(found) == pytest.approx(THEOPH_PUBLISHED[subject], rel=0, abs=1.1e-7)


@pytest.mark.parametrize("subject", INDOMETH)
def test_indometacin_as_published(subject: int) -> None:
    found = nca.exposure(INDOMETH_TIME, INDOMETH[subject], minimum_half_lives=0)
    assert as_published(found) == pytest.approx(INDOMETH_PUBLISHED[subject], rel=0, abs=1.1e-7)


def test_indometacin_of_all_at_once_equals_one_by_one() -> None:
    together = nca.exposure(INDOMETH_TIME, np.array(list(INDOMETH.values())).reshape(2, 3, -1), minimum_half_lives=0)
    assert together.auc_inf.shape == (2, 3)
    published = [row[9] for row in INDOMETH_PUBLISHED.values()]
    assert together.auc_inf.ravel() == pytest.approx(published, rel=0, abs=1.1e-7)


def test_a_slope_seen_for_less_than_a_half_life_is_not_reported() -> None:
    found = nca.exposure(INDOMETH_TIME, INDOMETH[1])  # 3 h of a half-life of 4.4 h
    assert np.isnan(found.auc_inf)
    assert np.isnan(found.terminal.half_life)
    assert found.terminal.reason == "the slope was seen for 0.69 half-lives, at least 1 is needed"
    assert found.auc_last == pytest.approx(1.7193653, abs=1e-7)


def test_exponential_fall_is_exact_on_a_coarse_grid() -> None:
    time = np.array([0.0, 0.7, 3.0, 11.0])
    curve = 5.0 * np.exp(-0.3 * time)
    found = nca.exposure(time, curve, include_peak=True)
    assert found.auc_inf == pytest.approx(5.0 / 0.3, rel=1e-13)
    assert found.terminal.half_life == pytest.approx(np.log(2) / 0.3, rel=1e-12)
    assert found.extrapolated == pytest.approx(np.exp(-0.3 * 11), rel=1e-12)
    assert nca.auc(time, curve) == pytest.approx((5.0 - curve[-1]) / 0.3, rel=1e-13)


def test_the_peak_is_left_out_unless_asked_for() -> None:
    time = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    curve = np.array([8.0, 2.0, 1.0, 0.5, 0.25])  # a half-life of 1 h after the peak only
    assert nca.terminal_phase(time, curve).half_life == pytest.approx(1.0, rel=1e-12)
    assert nca.terminal_phase(time, curve).points == 4
    alone = nca.terminal_phase(time[:3], np.array([4.0, 2.0, 1.0]), include_peak=True)
    assert alone.half_life == pytest.approx(1.0, rel=1e-12)
    assert alone.points == 3


def test_rising_is_linear_and_falling_logarithmic() -> None:
    assert nca.auc([0.0, 2.0], [1.0, 3.0]) == pytest.approx(4.0, rel=1e-15)
    assert nca.auc([0.0, 2.0], [3.0, 1.0]) == pytest.approx(4.0 / np.log(3.0), rel=1e-14)
    assert nca.auc([0.0, 2.0], [3.0, 0.0]) == pytest.approx(3.0, rel=1e-15)  # no logarithm of zero
    assert nca.auc([0.0, 2.0], [3.0, 3.0 * (1 - 1e-13)]) == pytest.approx(6.0, rel=1e-12)
    assert nca.auc([0.0, 2.0], [1.0, 1e-320]) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("shares", [(100, 20, 2), (100, 5, 0.5), (50, 50, 1)])
@pytest.mark.parametrize("half_lives", [(0.5, 4, 24), (0.3, 3, 60), (1, 8, 24), (1, 4, 12)])
def test_three_exponentials_seen_for_long_give_the_last(shares: tuple, half_lives: tuple) -> None:
    """Hourly for ten days, every 5 min for the first 6 h and on the last day: the samples of a simulation."""
    time = np.unique(np.concatenate([np.arange(0, 241.0), np.arange(0, 72) / 12, 216 + np.arange(288) / 12]))
    rates = np.log(2) / np.array(half_lives)
    curve = sum(share * np.exp(-rate * time) for share, rate in zip(shares, rates, strict=True))
    found = nca.exposure(time, curve)
    assert found.terminal.half_life == pytest.approx(half_lives[-1], rel=0.015)
    assert found.auc_inf == pytest.approx(np.sum(np.array(shares) / rates), rel=1e-3)
    assert found.terminal.reason == ""


def test_the_solver_s_dust_is_no_terminal_phase() -> None:
    """Below 1e-6 of the peak the curve turns into noise and signs; the half-life must not follow it."""
    time = np.arange(0.0, 200.0)
    curve = np.exp(-0.2 * time)
    curve[time > 100] = 1e-11 * np.cos(time[time > 100])
    found = nca.exposure(time, curve, include_peak=True)
    assert found.terminal.half_life == pytest.approx(np.log(2) / 0.2, rel=1e-9)
    assert found.terminal.end == 69.0  # exp(-0.2 * 69) is the last above 1e-6
    assert found.auc_inf == pytest.approx(5.0, rel=1e-9)


def test_a_jump_of_zero_width_adds_nothing() -> None:
    jump = 8.0
    after = np.nextafter(jump, np.inf)
    time = np.array([0.0, 4.0, jump, after, 12.0, 20.0, 28.0])
    curve = np.array([0.0, 0.0, 0.0, 10.0, 10 * 2**-0.5, 10 * 2**-1.5, 10 * 2**-2.5])
    found = nca.exposure(time, curve)
    assert found.terminal.half_life == pytest.approx(8.0, rel=1e-12)
    assert found.auc_inf == pytest.approx(10 * 8 / np.log(2), rel=1e-12)
    assert found.tmax == after


@pytest.mark.parametrize(
    ("curve", "reason"),
    [
        ([0, 0, 0, 0, 0], "the concentration is zero"),
        ([0, 1, np.nan, 0.5, 0.2], "the concentration has missing values"),
        ([0, 1, 2, 3, 4], "samples after the peak: 0, at least 3 are needed"),
        ([0, 1, 5, 3, 2], "samples after the peak: 2, at least 3 are needed"),
        ([5, 1, 2, 3, 4], "the concentration does not fall after its peak"),
        ([5, 1, 1, 1, 1], "the concentration does not fall after its peak"),
        ([9, 3, 1, 3, 1], "adjusted R-squared of the terminal slope is -0.20, at least 0.7 is needed"),
        ([9, 8.0, 7.9, 7.8, 7.7], "the slope was seen for 0.055 half-lives, at least 1 is needed"),
    ],
)
def test_reasons(curve: list[float], reason: str) -> None:
    found = nca.exposure(np.arange(5.0), curve)
    assert found.terminal.reason == reason
    assert np.isnan([found.auc_inf, found.extrapolated, found.terminal.rate, found.terminal.points]).all()


def test_one_hopeless_curve_does_not_spoil_its_neighbours() -> None:
    time = np.arange(12.0)
    good = np.exp(-0.5 * time)
    found = nca.exposure(time, [good, 0 * good, np.nan * good, good])
    assert list(found.terminal.reason) == ["", "the concentration is zero", "the concentration has missing values", ""]
    assert found.terminal.half_life[[0, 3]] == pytest.approx(np.log(2) / 0.5, rel=1e-10)


def test_a_single_sample_has_no_slope() -> None:
    found = nca.exposure([3.0], [2.0])
    assert (found.cmax, found.tmax, found.auc_last) == (2.0, 3.0, 0.0)
    assert found.terminal.reason == "samples after the peak: 0, at least 3 are needed"


@pytest.mark.parametrize(("time", "curve"), [([0, 1], [1, 2, 3]), ([], []), ([[0, 1]], [[1, 2]])])
def test_shapes_that_do_not_fit(time: list, curve: list) -> None:
    with pytest.raises(LdnsimError, match="do not fit times of shape"):
        nca.exposure(time, curve)


def test_last_dose_of_each_person() -> None:
    """Each row of its own length, from its own last dose."""
    starts, ends = np.array([2.0, 10.25, 20.0]), np.array([60.0, 60.0, 20.0])
    edges = [np.linspace(start, end, 60) for start, end in zip(starts, ends, strict=True)]
    mesh = Mesh(
        np.array([0, 59, 118]), np.array([59, 118, 118]),
        np.concatenate([edges[0][:-1], edges[1][:-1]]), np.concatenate([edges[0][1:], edges[1][1:]]),
    )  # fmt: skip
    left = 100 * np.exp(-0.2 * 8.25)  # of the first dose
    size = np.array([100.0, 100.0 + left])[mesh.row, None]
    tail = Signal(mesh, size * np.exp(-0.2 * (mesh.times() - starts[mesh.row, None])))
    found, reason = nca.after_last_dose(tail, starts)
    assert list(reason) == ["", "", "the run ends with the last dose"]
    assert found["t_half"][:2] == pytest.approx(np.log(2) / 0.2, rel=1e-9)
    assert np.isnan(found["t_half"][2])
    assert found["AUC_inf"][:2] == pytest.approx([500, (100 + left) / 0.2], rel=1e-8)
    assert nca.after_last_dose(tail, np.array([np.nan, 10.25, 20.0]))[1][0] == "no dose was taken"


def test_a_dose_at_the_very_time_counts_a_later_one_does_not() -> None:
    doses = np.array([[8.0, 32.0, np.nan], [8.0, 32.0, 56.0], [40.0, np.nan, np.nan]])
    latest = nca.latest_dose(doses, np.array([32.0, 31.9, 39.0]))
    np.testing.assert_array_equal(latest, [32.0, 8.0, np.nan])


@given(
    scale=st.floats(1e-6, 1e6),
    stretch=st.floats(0.01, 100),
    rate=st.floats(0.05, 0.4),
    absorption=st.floats(0.8, 3.0),
)
@settings(max_examples=60, deadline=None)
def test_units_of_concentration_and_time_do_not_matter(
    scale: float, stretch: float, rate: float, absorption: float
) -> None:
    time = np.linspace(0.0, 60.0, 121)
    curve = np.exp(-rate * time) - np.exp(-absorption * time)
    plain = nca.exposure(time, curve)
    scaled = nca.exposure(time * stretch, curve * scale)
    assert scaled.auc_inf == pytest.approx(float(plain.auc_inf) * scale * stretch, rel=1e-6)
    assert scaled.terminal.half_life == pytest.approx(float(plain.terminal.half_life) * stretch, rel=1e-6)
    assert scaled.terminal.half_lives == pytest.approx(float(plain.terminal.half_lives), rel=1e-6)
    assert plain.auc_inf == pytest.approx(1 / rate - 1 / absorption, rel=0.05)


@given(
    curve=st.lists(st.floats(0, 1e3, allow_subnormal=False), min_size=2, max_size=12),
    cut=st.integers(0, 11),
)
def test_area_adds_up_and_lies_between_its_bounds(curve: list[float], cut: int) -> None:
    time = np.arange(len(curve)) * 0.5
    cut = min(cut, len(curve) - 1)
    whole = float(nca.auc(time, curve))
    assert whole == pytest.approx(float(nca.auc(time[: cut + 1], curve[: cut + 1]) + nca.auc(time[cut:], curve[cut:])))
    trapezoids = float(np.sum((np.array(curve)[1:] + np.array(curve)[:-1]) / 2 * 0.5))
    lower = float(np.sum(np.minimum(curve[1:], curve[:-1]) * 0.5))
    assert lower * (1 - 1e-12) <= whole <= trapezoids * (1 + 1e-12)  # a convex fall is never above its chord
