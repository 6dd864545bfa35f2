"""What answers hang on: indices that are known, ends that are runs by themselves, draws that are those of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import sobol_indices

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots import dose_clock_map, dose_response, tornado
from ldnsim.scenario.uncertainty import Uncertainty
from ldnsim.studies.variance_based import _indices, _shares

WAVES = Path(__file__).parent / "models/waves.yaml"
DOSE = '{input: oral, dose: 1 mg, at: "08:00"}'
NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
# the function of Ishigami and Homma with 7 and 0.1, on -pi to pi
VARIANCE = 7**2 / 8 + 0.1 * np.pi**4 / 5 + 0.1**2 * np.pi**8 / 18 + 0.5
FIRST = np.array([0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 7**2 / 8, 0]) / VARIANCE
BOTH = 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50) / VARIANCE  # of x1 with x3
TOTAL = FIRST + np.array([BOTH, 0, BOTH])


@pytest.fixture
def waves(ask):
    return ask("1 d", model=str(WAVES), dose=DOSE)


def test_indices_that_are_known(waves):
    table = ldn.sobol(waves, ["x1", "x2", "part.x3"], ["wave_mean"], n=512, seed=4)
    assert table.address.tolist() == ["x1", "x2", "part.x3"]
    np.testing.assert_allclose(table["first"], FIRST, atol=0.06)
    np.testing.assert_allclose(table["total"], TOTAL, atol=0.06)
    assert ((table.first_low < FIRST) & (table.first_high > FIRST)).all()
    assert ((table.total_low < TOTAL) & (table.total_high > TOTAL)).all()
    assert table.sd[0] == pytest.approx(np.sqrt(VARIANCE), rel=0.03)
    assert table.attrs["cells"] == 512 * 5
    assert table.used.tolist() == [512] * 3
    assert table.attrs["failed"] == {}


def test_a_seed_says_it_all(waves):
    first, again = (ldn.sobol(waves, ["x1", "x2"], "wave_mean", n=32, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert ldn.sobol(waves, ["x1", "x2"], "wave_mean", n=32, seed=8)["first"][0] != first["first"][0]


def test_estimates_are_those_of_scipy():
    points = _shares(64, 3, 1)
    values = np.sin(6 * points[:, 0]) + 2 * points[:, 1] * points[:, 2]
    a, b, *mixed = values.reshape(5, 1, 64)
    known = sobol_indices(func={"f_A": a, "f_B": b, "f_AB": np.array(mixed)}, n=64)
    expected = [np.ravel(known.first_order), np.ravel(known.total_order)]
    np.testing.assert_allclose(_indices(values.reshape(5, 64)), expected, rtol=1e-12)


def test_points_that_fail_are_left_out_and_counted(waves):
    table = ldn.sobol(waves, ["x0", "x1"], ["root_mean"], n=128)
    row = table.iloc[0]
    # a quarter of the range has no root; points are lost where either of A and B has none
    assert row.used + row.failed == 128
    assert row.failed / 128 == pytest.approx(1 - 0.75**2, abs=0.08)
    assert "not finite" in row.reason
    assert sum(table.attrs["failed"].values()) == pytest.approx(128, abs=16)  # of 4 x 128 cells a quarter
    assert row["total"] > 0.9
    assert np.isfinite(table[["first_low", "first_high", "total_low", "total_high"]]).all(axis=None)
    few = ldn.sobol(waves, {"x0": (-30, 1)}, ["root_mean"], n=32).iloc[0]
    assert np.isnan(few["total"])
    assert few.reason.startswith(f"only {few.used} points have a value: no drug-free rhythm")


def test_what_does_not_vary_has_no_index(waves):
    table = ldn.sobol(waves, {"x1": (0.5, 1.0)}, ["load_mean", "wave_mean"], n=16)
    flat, waving = table.iloc[0], table.iloc[1]
    assert np.isnan([flat["first"], flat["total"], flat.total_low]).all()
    assert flat.reason == "the metric does not vary"
    assert waving.reason == ""


def test_a_range_may_be_of_anything_with_a_place_on_a_scale(waves):
    table = ldn.sobol(
        waves, {"dose.dose": ("0.5 mg", "2 mg", "log"), "k": {"from": "x 0.5", "to": "x 2"}}, "load_mean", n=64
    )
    assert (table["total"] > 0.2).all()
    assert table.unit.tolist() == ["nmol", "nmol"]
    assert table["total"].sum() > table["first"].sum() - 0.1


@pytest.mark.parametrize("study", [ldn.sobol, ldn.sensitivity])
def test_all_that_is_wrong_is_told_at_once(waves, study):
    with pytest.raises(LdnsimError) as caught:
        study(waves, {"x1": None, "unranged": None, "x4": None, "x2": "much", "k": ("2 1/h", "1 1/h")}, ["wave_meen"])
    text = str(caught.value)
    assert "did you mean 'wave_mean'" in text
    assert "unranged states no range" in text
    assert "'x4' names no parameter" in text
    assert "'much' is not a range" in text
    assert "x1 " not in text
    with pytest.raises(LdnsimError, match="clock time, which has no order"):
        study(waves, ["x1"], ["load_time_of_peak"])
    with pytest.raises(LdnsimError) as caught:
        study(waves, [], [])
    assert "no parameter is given" in str(caught.value)
    assert "no metric is given" in str(caught.value)
    with pytest.raises(LdnsimError, match=r"'k' and 'part\.k' are the same parameter"):
        study(waves, ["k", "part.k"], ["load_mean"])
    with pytest.raises(LdnsimError, match="no parameter is given"):
        study(waves, 5, None)


@pytest.mark.parametrize(("n", "seed"), [(100, 1), (8, 1), (64.0, 1), (64, -1), (True, 1)])
def test_numbers_of_points_that_are_none(waves, n, seed):
    with pytest.raises(LdnsimError, match=r"a power of 2|a whole number"):
        ldn.sobol(waves, ["x1"], "wave_mean", n=n, seed=seed)


def test_ends_are_runs_by_themselves(waves):
    table = ldn.sensitivity(waves, ["x1", "k"], ["wave_mean", "load_mean"])

    def alone(metric, changes):
        return float(ldn.summarize(ldn.simulate(waves.with_changes(changes)))[metric].item())

    k = table[(table.address == "k") & (table.metric == "load_mean")].iloc[0]
    assert (k.low, k.high, k.unit) == ("0.5 1/h", "2 1/h", "nmol")
    assert k.at_low == alone("load_mean", {"k": "0.5 1/h"})
    assert k.at_high == alone("load_mean", {"k": "2 1/h"})
    assert k.base == alone("load_mean", {})
    assert k.elasticity == pytest.approx(-1, abs=0.01)  # the area is dose over k
    rows = table[table.metric == "load_mean"]
    drawn = tornado(rows, k.base, "load_mean", unit=k.unit)
    assert drawn.data[0].y[-1] == "k"  # on top
    assert drawn.data[1].x[-1] == k.at_high - k.base


def test_a_factor_takes_the_place_of_ranges(waves):
    table = ldn.sensitivity(waves, ["k", "unranged"], "load_mean", factor=2)
    assert table.low.tolist() == ["x 0.5"] * 2
    assert table.at_low[0] == pytest.approx(2 * table.base[0], rel=0.01)
    assert table.at_high[1] == table.base[1]
    with pytest.raises(LdnsimError, match=r"a factor of 0\.5"):
        ldn.sensitivity(waves, ["k"], "load_mean", factor=0.5)
    with pytest.raises(LdnsimError, match="a factor together with ranges"):
        ldn.sensitivity(waves, {"k": ("x 0.5", "x 2")}, "load_mean", factor=2)


def test_a_factor_is_on_what_the_model_says_and_so_not_on_what_was_changed(waves):
    other = waves.with_changes({"part.k": "3 1/h"})
    with pytest.raises(LdnsimError, match="k is changed by the scenario"):
        ldn.sensitivity(other, ["k"], "load_mean", factor=2)
    row = ldn.sensitivity(other, {"part.k": ("2 1/h", "4 1/h")}, "load_mean").iloc[0]
    assert np.isnan(row.elasticity)
    assert row.at_low > row.base > row.at_high


@pytest.mark.parametrize("factor", [0, 1, -2, "2", float("inf"), True])
def test_factors_that_are_none(waves, factor):
    with pytest.raises(LdnsimError, match="a factor of"):
        ldn.sensitivity(waves, ["k"], "load_mean", factor=factor)


def test_an_end_without_solution_says_why(waves):
    row = ldn.sensitivity(waves, ["x0"], "root_mean").iloc[0]
    assert np.isnan(row.at_low)
    assert row.at_high == pytest.approx(2 * np.sqrt(3))
    assert "not finite" in row.reason


def test_all_that_states_a_range_in_the_library(ask):
    scenario = ask("1 d", "[transient, pet_pool]", night=NIGHT)
    table = ldn.sensitivity(scenario, metrics=["opioid_tone_mean"])
    ends = table[table.address == "occupancy.EC50"].set_index("account")
    assert ends.low["transient"] != ends.low["pet_pool"]  # each part states its own
    assert not table.address.str.startswith("person.").any()
    assert "muscle.k_slow" in table.attrs["unmoved"]  # no depot is given
    assert "muscle.k_slow" not in set(table.address)
    with pytest.raises(LdnsimError, match=r"occupancy\.EC50 has different ranges in different accounts"):
        ldn.sobol(scenario, ["occupancy.EC50"], "opioid_tone_mean")


def test_a_population_or_uncertainty_leaves_the_typical_person(waves):
    plain = ldn.sensitivity(waves, ["k"], "load_mean")
    doubtful = waves.model_copy(update={"uncertainty": Uncertainty(draws=3, parameters=("k",))})
    crowd = doubtful.with_changes({"population.size": 5})
    pd.testing.assert_frame_equal(ldn.sensitivity(crowd, ["k"], "load_mean"), plain)


AXES = {"dose.dose": ["1 mg", "2 mg"], "dose.at": ["08:00", "20:00", "22:00"]}


@pytest.fixture
def unsure(waves):
    return waves.model_copy(update={"uncertainty": Uncertainty(draws=9, seed=3, parameters=("k", "x1"))})


def test_a_grid_at_draws_has_the_quantiles_of_runs(unsure):
    grid = ldn.sweep_draws(unsure, AXES)
    assert grid.load_mean.dims == ("dose.dose", "dose.at", "account", "arm", "quantile")
    run = ldn.summarize(ldn.simulate(unsure.with_changes({"dose.dose": "2 mg", "dose.at": "20:00"})))
    cell = grid.isel({"dose.dose": 1, "dose.at": 1})
    expected = run.load_mean.isel(draw=slice(1, None)).quantile([0.05, 0.5, 0.95], "draw")
    np.testing.assert_array_equal(cell.load_mean.squeeze(), expected.squeeze())
    np.testing.assert_array_equal(cell.load_mean_stated, run.load_mean.sel(draw=0))
    assert (grid.n_solved == 9).all()
    assert grid.n_draws == 9
    assert grid.load_mean.attrs["units"] == "nmol"


def test_with_people_how_unsure_and_how_different_they_are_stay_apart(unsure):
    crowd = unsure.with_changes({"population.size": 12})
    grid = ldn.sweep_draws(crowd, AXES)
    run = ldn.summarize(ldn.simulate(crowd.with_changes({"dose.dose": "2 mg", "dose.at": "20:00"})))
    cell = grid.isel({"dose.dose": 1, "dose.at": 1})
    medians = run.load_mean.isel(draw=slice(1, None)).median("subject").quantile([0.05, 0.5, 0.95], "draw")
    np.testing.assert_allclose(cell.load_mean.squeeze(), medians.squeeze(), rtol=1e-14)
    people = run.load_mean.sel(draw=0).quantile([0.05, 0.5, 0.95], "subject")
    np.testing.assert_allclose(cell.load_mean_people.squeeze(), people.squeeze(), rtol=1e-14)


def test_a_map_shows_the_median_and_how_wide_the_band_is(unsure):
    grid = ldn.sweep_draws(unsure, AXES)
    median, width = dose_clock_map(grid, "load_mean").data
    low, middle, high = (grid.load_mean.sel(quantile=q).squeeze().to_numpy() for q in (0.05, 0.5, 0.95))
    np.testing.assert_array_equal(median.z, middle)
    np.testing.assert_array_equal(width.z, high - low)
    assert (median.coloraxis, width.coloraxis) == ("coloraxis", "coloraxis2")
    assert len(dose_clock_map(ldn.sweep(unsure.model_copy(update={"uncertainty": None}), AXES), "load_mean").data) == 1
    line = dose_response(grid.isel({"dose.at": 0}), "load_mean").data
    np.testing.assert_array_equal(line[2].y, middle[:, 0])
    with pytest.raises(LdnsimError, match=r"expected 0\.05, 0\.5 and 0\.95"):
        dose_clock_map(ldn.sweep_draws(unsure, AXES, quantiles=[0.5]), "load_mean")


def test_quantiles_of_a_sweep_over_people_keep_their_labels_and_can_be_drawn(waves):
    grid = ldn.sweep(waves.with_changes({"population.size": 7}), AXES, keep="quantiles")
    assert grid.load_mean.attrs["units"] == "nmol"
    assert len(dose_clock_map(grid, "load_mean").data) == 2


def test_draws_that_fail_are_counted(waves):
    unsure = waves.model_copy(update={"uncertainty": Uncertainty(draws=20, parameters=("x0",))})
    grid = ldn.sweep_draws(unsure, {"dose.dose": ["1 mg", "2 mg"]})
    assert (grid.n_solved < 20).all()
    assert (grid.n_solved > 0).all()
    assert "not finite" in grid.attrs["failed"]


def test_draws_need_uncertainty_and_a_grid(waves, unsure):
    with pytest.raises(LdnsimError, match="the scenario states no uncertainty"):
        ldn.sweep_draws(waves, AXES)
    with pytest.raises(LdnsimError, match="unranged has no range to draw from"):
        ldn.sweep_draws(waves.model_copy(update={"uncertainty": Uncertainty(draws=2, parameters=("unranged",))}), AXES)
    with pytest.raises(LdnsimError, match="noon"):
        ldn.sweep_draws(unsure, {"noon.dose": ["1 mg"]})
