"""Metrics of made-up results whose answers are known without the module: triangles, sinusoids, exponentials."""

from __future__ import annotations

import time as clock
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics import summary as metrics
from ldnsim.metrics.signal import sampled
from ldnsim.model.output_kinds import FREE_BELOW

ACCOUNTS = ("transient", "pet_pool")
ARMS = ("night", "placebo")
HOURLY = np.arange(0.0, 72.5, 1.0)
LABELS = {
    "Cp": {"kind": "concentration", "units": "nmol/L", "long_name": "Naltrexone in plasma", "evidence": "fitted"},
    "mu_occupancy": {"kind": "blockade", "units": "1", "long_name": "Mu receptors blocked", "evidence": "hypothesis"},
    "kappa_occupancy": {"kind": "occupancy", "units": "1", "evidence": "fitted"},
    "endorphin": {"kind": "endogenous", "units": "1", "relative_to": "drug_free_daily_mean", "evidence": "fitted"},
    "opioid_tone": {"kind": "endogenous", "units": "1", "relative_to": "drug_free", "evidence": "hypothesis"},
    "agonist_occupancy": {"kind": "effect", "units": "1", "evidence": "hypothesis"},
    "pain_score": {"kind": "other", "units": "1", "evidence": "hypothesis"},
}


def made_up(
    time: np.ndarray,
    outputs: dict[str, np.ndarray],
    *,
    doses: tuple[float, ...] = (22.0,),
    people: int = 0,
    window: tuple[float, float] | None = (24.0, 48.0),
    twins: dict[str, np.ndarray] | None = None,
) -> xr.Dataset:
    """A result whose outputs are alike in both accounts and, but for what a test changes, for everybody."""
    leading = ("account", "arm", "subject") if people else ("account", "arm")
    lengths = (2, 2, people) if people else (2, 2)
    data = {}
    for name, values in outputs.items():
        labels = {**LABELS[name], "evidence_transient": "hypothesis", "evidence_pet_pool": LABELS[name]["evidence"]}
        data[name] = ((*leading, "time"), np.broadcast_to(values, (*lengths, time.size)).copy(), labels)
    for name, values in (twins or {}).items():
        without_arm = (leading[0], *leading[2:], "time")
        shape = (2, people, time.size) if people else (2, time.size)
        data[f"{name}_drug_free"] = (without_arm, np.broadcast_to(values, shape).copy(), LABELS[name])
    data["status"] = (leading, np.zeros(lengths, dtype=np.int8))
    data["reason"] = (leading, np.full(lengths, "", dtype=object))
    padded = np.array([[*doses, np.nan], [np.nan] * (len(doses) + 1)])
    if people:
        padded = np.repeat(padded[:, None], people, axis=1)
    by_dose = (*leading[1:], "dose")
    data["dose_time"] = (by_dose, padded, {"units": "h"})
    data["dose_amount"] = (by_dose, np.where(np.isnan(padded), np.nan, 4.5))
    data["dose_input"] = (by_dose, np.where(np.isnan(padded), "", "oral").astype(object))
    coords = {"account": list(ACCOUNTS), "arm": list(ARMS), "time": time, "clock_time": ("time", time % 24)}
    if people:
        coords["subject"] = np.arange(1, people + 1)
    attrs = {"scenario": "made up"} | ({} if window is None else {"window": list(window)})
    return xr.Dataset(data, coords, attrs)


def night(table: xr.Dataset, name: str) -> float | str:
    """The metric of the first account's first arm (and first person)."""
    return table[name].to_numpy().ravel()[0]


def test_triangle_crosses_thresholds_between_samples() -> None:
    """Up from 0 to 1 over 6 h, down over 3 h, on a grid that holds none of the crossings."""
    time = np.array([0.0, 24.0, 31.0, 34.0, 48.0, 72.0])  # the corners, at 07:00 and 10:00, and midnights
    triangle = np.array([0.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    table = metrics.summarize(made_up(time, {"mu_occupancy": triangle, "kappa_occupancy": triangle}))
    assert night(table, "mu_occupancy_hours_above_50") == pytest.approx(3.5 + 1.5, rel=1e-14)
    assert night(table, "kappa_occupancy_hours_above_80") == pytest.approx(0.2 * 10, rel=1e-13)
    assert night(table, "mu_occupancy_unblocked_hours") == pytest.approx(24 - 0.8 * 10, rel=1e-14)
    assert night(table, "mu_occupancy_peak") == 1.0
    assert night(table, "mu_occupancy_trough") == 0.0
    assert night(table, "mu_occupancy_mean") == pytest.approx(5 / 24, rel=1e-14)
    assert night(table, "mu_occupancy_time_of_peak") == 7.0
    assert "kappa_occupancy_unblocked_hours" not in table


def test_exactly_at_a_threshold_is_neither_above_nor_below() -> None:
    table = metrics.summarize(made_up(HOURLY, {"mu_occupancy": np.full(HOURLY.size, 0.5)}))
    assert night(table, "mu_occupancy_hours_above_50") == 0.0
    table = metrics.summarize(made_up(HOURLY, {"mu_occupancy": np.full(HOURLY.size, FREE_BELOW)}))
    assert night(table, "mu_occupancy_unblocked_hours") == 0.0


def test_window_ends_between_samples_are_interpolated() -> None:
    ramp = 2.0 * HOURLY
    table = metrics.summarize(made_up(HOURLY, {"pain_score": ramp}), window=(10.25, 12.75))
    assert night(table, "pain_score_trough") == pytest.approx(20.5, rel=1e-14)
    assert night(table, "pain_score_peak") == pytest.approx(25.5, rel=1e-14)
    assert night(table, "pain_score_mean") == pytest.approx(23.0, rel=1e-14)
    assert night(table, "pain_score_time_of_peak") == 12.75
    assert table.attrs["window"] == [10.25, 12.75]


def test_window_defaults_to_the_result_s_then_to_the_last_whole_day() -> None:
    ramp = made_up(np.arange(0.0, 60.5, 0.5), {"pain_score": np.arange(0.0, 60.5, 0.5)}, window=(3.0, 5.0))
    assert night(metrics.summarize(ramp), "pain_score_peak") == 5.0
    del ramp.attrs["window"]
    assert metrics.summarize(ramp).attrs["window"] == [24.0, 48.0]
    short = made_up(np.arange(0.0, 7.0), {"pain_score": np.arange(0.0, 7.0)}, window=None)
    assert metrics.summarize(short).attrs["window"] == [0.0, 6.0]


def test_a_jump_at_the_end_of_the_window_is_not_part_of_it() -> None:
    time = np.array([0.0, 24.0, np.nextafter(24.0, 99.0), 36.0, 48.0, np.nextafter(48.0, 99.0), 72.0])
    level = np.array([0.0, 0.0, 1.0, 1.0, 1.0, 9.0, 9.0])
    table = metrics.summarize(made_up(time, {"pain_score": level, "mu_occupancy": level}))
    assert night(table, "pain_score_peak") == 1.0
    assert night(table, "pain_score_trough") == 1.0  # one at its start is
    assert night(table, "pain_score_mean") == pytest.approx(1.0, rel=1e-12)
    assert night(table, "mu_occupancy_hours_above_50") == pytest.approx(24.0, rel=1e-12)
    assert night(table, "pain_score_time_of_peak_reason") == "the output does not change"


def test_a_jump_at_the_very_start_of_time() -> None:
    time = np.array([0.0, np.nextafter(0.0, 1.0), 8.0, 16.0, 24.0])
    curve = np.array([0.0, 8.0, 4.0, 2.0, 1.0])
    table = metrics.summarize(made_up(time, {"Cp": curve}, doses=(0.0,), window=(0.0, 24.0)))
    assert night(table, "Cp_Tmax") == pytest.approx(0.0, abs=1e-12)
    assert night(table, "Cp_AUC_tau") == pytest.approx(7 * 8 / np.log(2), rel=1e-6)
    assert night(table, "Cp_AUC_inf") == pytest.approx(8 * 8 / np.log(2), rel=1e-5)


def test_rebound_of_a_sinusoid() -> None:
    """Tone 1 + 0.1 sin, up first at 06:00: areas of half a wave are amplitude * 24 / pi."""
    time = np.arange(0.0, 72.01, 0.05)
    wave = 0.1 * np.sin(2 * np.pi * (time - 6) / 24)
    table = metrics.summarize(made_up(time, {"opioid_tone": 1 + wave, "mu_occupancy": 0 * time}))
    assert night(table, "opioid_tone_rebound_peak") == pytest.approx(0.1, rel=1e-12)
    assert night(table, "opioid_tone_rebound_clock_time") == pytest.approx(12.0, abs=1e-9)
    assert night(table, "opioid_tone_rebound_area") == pytest.approx(0.1 * 24 / np.pi, rel=1e-4)
    assert night(table, "opioid_tone_suppressed_area") == pytest.approx(0.1 * 24 / np.pi, rel=1e-4)
    assert night(table, "opioid_tone_net_area") == pytest.approx(0.0, abs=1e-12)
    assert night(table, "opioid_tone_rebound_hours") == pytest.approx(12 - 24 / np.pi * np.arcsin(0.2), rel=1e-4)
    assert night(table, "opioid_tone_mean_while_unblocked") == pytest.approx(1.0, rel=1e-12)


def test_endorphin_is_compared_with_its_own_twin() -> None:
    """The rhythm cancels: fold of the daily mean divided by the twin's at the same clock time, not by its mean."""
    time = np.unique([*HOURLY, np.nextafter(30.0, 0.0), np.nextafter(36.0, 99.0)])
    rhythm = 1 + 0.3 * np.cos(2 * np.pi * (time - 10.5) / 24)
    lifted = rhythm * np.where((time >= 30) & (time <= 36), 1.25, 1.0)
    result = made_up(time, {"endorphin": lifted}, twins={"endorphin": rhythm})
    table = metrics.summarize(result)
    assert night(table, "endorphin_rebound_peak") == pytest.approx(0.25, rel=1e-12)
    assert night(table, "endorphin_rebound_area") == pytest.approx(0.25 * 6, rel=1e-12)
    assert night(table, "endorphin_rebound_hours") == pytest.approx(6, rel=1e-12)
    assert night(table, "endorphin_suppressed_area") == pytest.approx(0.0, abs=1e-12)
    assert not any(name.startswith("endorphin_drug_free") for name in table)
    result["endorphin_drug_free"][1] *= 2  # of the second account only
    by_account = metrics.summarize(result)["endorphin_suppressed_area"].sel(arm="night")
    assert by_account.values == pytest.approx([0.0, 24 * 0.5 - 0.125 * 6], abs=1e-12)


def test_no_rebound_no_clock_time() -> None:
    low = 1.0 + 0.015 * np.sin(2 * np.pi * HOURLY / 24)
    table = metrics.summarize(made_up(HOURLY, {"opioid_tone": low, "mu_occupancy": 0 * HOURLY}))
    assert np.isnan(night(table, "opioid_tone_rebound_clock_time"))
    assert night(table, "opioid_tone_rebound_clock_time_reason") == (
        "the ratio to the drug-free twin never exceeds 1.02"
    )
    assert night(table, "opioid_tone_rebound_peak") == pytest.approx(0.015, rel=1e-12)
    assert night(table, "opioid_tone_rebound_hours") == 0.0
    halved = metrics.summarize(made_up(HOURLY, {"opioid_tone": low / 2, "mu_occupancy": 0 * HOURLY}))
    assert night(halved, "opioid_tone_rebound_peak") == 0.0


def test_mean_while_unblocked_takes_only_the_open_part_of_an_interval() -> None:
    """Blockade falls 0.4 to 0 from 06:00 to 10:00, then stays; tone rises 1 to 2 over the day: open from 08:00."""
    time = np.array([0.0, 24.0, 30.0, 34.0, 48.0, 72.0])
    blockade = np.array([0.4, 0.4, 0.4, 0.0, 0.0, 0.0])
    tone = np.interp(time, [24, 48], [1.0, 2.0])
    table = metrics.summarize(made_up(time, {"mu_occupancy": blockade, "opioid_tone": tone}))
    assert night(table, "opioid_tone_mean_while_unblocked") == pytest.approx((1 + 8 / 24 + 2) / 2, rel=1e-14)
    assert night(table, "mu_occupancy_unblocked_hours") == pytest.approx(16.0, rel=1e-14)
    mirrored = metrics.summarize(made_up(time, {"mu_occupancy": 0.4 - blockade, "opioid_tone": tone}))
    assert night(mirrored, "opioid_tone_mean_while_unblocked") == pytest.approx((1 + 1 + 8 / 24) / 2, rel=1e-14)


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({"mu_occupancy": np.full(HOURLY.size, 0.7)}, "blockade never falls under 20 %"),
        ({}, "the result holds no blockade of receptors"),
    ],
)
def test_never_unblocked(outputs: dict[str, np.ndarray], reason: str) -> None:
    table = metrics.summarize(made_up(HOURLY, {**outputs, "opioid_tone": np.full(HOURLY.size, 1.1)}))
    assert np.isnan(night(table, "opioid_tone_mean_while_unblocked"))
    assert night(table, "opioid_tone_mean_while_unblocked_reason") == reason


def test_without_a_twin_there_is_no_rebound_to_speak_of() -> None:
    table = metrics.summarize(made_up(HOURLY, {"endorphin": 1 + HOURLY, "mu_occupancy": 0 * HOURLY}))
    for metric in ("rebound_peak", "rebound_clock_time", "rebound_hours", "net_area", "mean_while_unblocked"):
        assert np.isnan(night(table, f"endorphin_{metric}"))
        assert night(table, f"endorphin_{metric}_reason") == "the result holds no drug-free twin of this output"
    assert night(table, "endorphin_peak") == 49.0


def one_compartment(time: np.ndarray, doses: tuple[float, ...]) -> np.ndarray:
    """Oral, absorbed at 2 /h, half-life 4 h, unit exposure: each dose has an area of 1 / 0.173 - 1 / 2."""
    rate = np.log(2) / 4
    since = np.maximum(time[:, None] - np.array(doses), 0.0)
    return (np.exp(-rate * since) - np.exp(-2 * since)).sum(axis=-1)


def test_concentration_after_a_dose_at_night() -> None:
    time = np.unique(np.concatenate([HOURLY, 22 + np.arange(0, 73) / 12]))
    table = metrics.summarize(made_up(time, {"Cp": one_compartment(time, (22.0,))}), window=(0.0, 48.0))
    rate = np.log(2) / 4
    peak = np.log(2 / rate) / (2 - rate)
    assert night(table, "Cp_Tmax") == pytest.approx(peak, abs=1 / 24)
    assert night(table, "Cp_time_of_peak") == pytest.approx(22 + peak, abs=1 / 24)
    assert night(table, "Cp_Cmax") == pytest.approx(np.exp(-rate * peak) - np.exp(-2 * peak), rel=1e-3)
    assert night(table, "Cp_AUC_inf") == pytest.approx(1 / rate - 0.5, rel=3e-3)
    assert night(table, "Cp_t_half") == pytest.approx(4.0, rel=0.01)
    assert night(table, "Cp_AUC_inf_extrapolated") == pytest.approx(np.exp(-rate * 50) * 1.06, rel=0.05)
    assert night(table, "Cp_AUC_tau") < night(table, "Cp_AUC_inf")


def test_exposure_belongs_to_the_last_dose_whatever_the_window() -> None:
    time = np.arange(0.0, 72.01, 0.1)
    curve = one_compartment(time, (8.0, 32.0))
    result = made_up(time, {"Cp": curve}, doses=(8.0, 32.0))
    table = metrics.summarize(result, window=(0.0, 24.0))
    assert night(table, "Cp_Tmax") == pytest.approx(1.3, abs=0.1)  # after the dose at 08:00 of day 1
    rate = np.log(2) / 4
    left = (np.exp(-rate * 24)) / rate
    assert night(table, "Cp_AUC_inf") == pytest.approx(1 / rate - 0.5 + left, rel=3e-3)


@pytest.mark.parametrize(
    ("curve", "metric", "reason"),
    [
        (one_compartment(HOURLY, (22.0,)), "Tmax", "no dose was taken at or before the peak"),
        (one_compartment(HOURLY, (22.0,)), "t_half", "no dose was taken"),
        (0 * HOURLY, "Tmax", "the concentration is zero"),
        (0 * HOURLY, "time_of_peak", "the output does not change"),
        (0 * HOURLY, "AUC_inf", "no dose was taken"),
    ],
)
def test_an_arm_without_doses(curve: np.ndarray, metric: str, reason: str) -> None:
    table = metrics.summarize(made_up(HOURLY, {"Cp": curve})).sel(arm="placebo", account="transient")
    assert np.isnan(table[f"Cp_{metric}"])
    assert table[f"Cp_{metric}_reason"] == reason
    assert table["Cp_Cmax"] == curve[24:49].max()
    assert table["Cp_Cmax_reason"] == ""


def test_the_solver_s_ripple_has_no_peak_time() -> None:
    ripple = 0.3 * (1 + 1e-8 * np.sin(HOURLY))
    table = metrics.summarize(made_up(HOURLY, {"pain_score": ripple}))
    assert np.isnan(night(table, "pain_score_time_of_peak"))
    assert night(table, "pain_score_time_of_peak_reason") == "the output does not change"
    seen = metrics.summarize(made_up(HOURLY, {"pain_score": 0.3 * (1 + 1e-4 * np.sin(2 * np.pi * HOURLY / 24))}))
    assert night(seen, "pain_score_time_of_peak") == 6.0


def test_a_dose_of_nothing_is_no_dose() -> None:
    result = made_up(HOURLY, {"Cp": 0 * HOURLY})
    result["dose_amount"][:] = 0.0
    assert night(metrics.summarize(result), "Cp_AUC_inf_reason") == "no dose was taken"
    dosed = made_up(HOURLY, {"Cp": 0 * HOURLY})
    assert night(metrics.summarize(dosed), "Cp_AUC_inf_reason") == "the concentration is zero"
    without = result.drop_vars(["dose_time", "dose_amount", "dose_input"])
    assert night(metrics.summarize(without), "Cp_t_half_reason") == "no dose was taken"


def test_too_little_after_the_last_dose() -> None:
    curve = one_compartment(HOURLY, (22.0, 46.0, 70.0))
    table = metrics.summarize(made_up(HOURLY, {"Cp": curve}, doses=(22.0, 46.0, 70.0)))
    assert night(table, "Cp_t_half_reason").startswith("the slope was seen for 0.0")
    assert night(table, "Cp_AUC_tau") > 0


def everything(people: int = 0) -> xr.Dataset:
    blockade = np.clip(0.9 - HOURLY / 60, 0, 1)
    outputs = {"Cp": one_compartment(HOURLY, (22.0,)), "mu_occupancy": blockade, "kappa_occupancy": blockade / 2}
    outputs |= {"endorphin": 1 + HOURLY / 100, "opioid_tone": 1.1 + 0 * HOURLY, "pain_score": HOURLY}
    return made_up(HOURLY, outputs, people=people, twins={"endorphin": 1 + 0 * HOURLY})


def test_a_failed_person_is_missing_with_the_reason_and_alone() -> None:
    result = everything(people=3)
    healthy = metrics.summarize(result)
    failed = {"account": 0, "arm": 0, "subject": 1}
    result["status"][failed] = 2
    result["reason"][failed] = "step size fell below 1e-12 h at 30.2 h"
    for name, data in result.data_vars.items():
        if "time" in data.dims and "arm" in data.dims:
            result[name][failed] = np.nan
    table = metrics.summarize(result)
    assert int(table["status"][failed]) == 2
    for name, data in table.data_vars.items():
        if name in ("status", "reason"):
            continue
        if name.endswith("_reason"):
            assert data[failed] == "not solved: step size fell below 1e-12 h at 30.2 h", name
        else:
            assert np.isnan(data[failed]), name
        others = np.ones((2, 2, 3), dtype=bool)
        others[0, 0, 1] = False
        np.testing.assert_array_equal(data.values[others], healthy[name].values[others], err_msg=str(name))


def test_a_value_or_a_reason_but_never_both_or_neither() -> None:
    result = everything(people=2)
    result["Cp"][0, 0, 0, 30] = np.nan  # a hole in a solution that claims to be fine
    table = metrics.summarize(result)
    told = [name for name in table.data_vars if f"{name}_reason" in table and name != "status"]
    assert len(told) == 6 + 7 * 2 + 7  # time_of_peak of all, rebound of two, exposure of one
    for name in told:
        np.testing.assert_array_equal(np.isnan(table[name]), table[f"{name}_reason"] != "", err_msg=str(name))
    assert night(table, "Cp_Cmax_reason") == "the output has missing values"
    assert night(table, "Cp_AUC_inf_reason") == "the concentration has missing values"
    assert table["Cp_Cmax_reason"].values.ravel()[1] == ""


def test_all_missing() -> None:
    nothing = {name: np.full(HOURLY.size, np.nan) for name in LABELS}
    table = metrics.summarize(made_up(HOURLY, nothing))
    read = {str(name): data for name, data in table.data_vars.items() if "metric" in data.attrs}
    assert {data.attrs["output"] for data in read.values()} == set(LABELS)
    for name, data in read.items():
        assert np.isnan(data).all(), name


def test_variables_and_labels() -> None:
    table = metrics.summarize(everything())
    assert table["Cp_AUC_tau"].dims == ("account", "arm")
    assert table["Cp_AUC_tau"].attrs == {
        "output": "Cp",
        "metric": "AUC_tau",
        "kind": "concentration",
        "units": "nmol/L*h",
        "long_name": "Naltrexone in plasma: area under the curve over the window",
        "evidence": "fitted",
        "evidence_transient": "hypothesis",
        "evidence_pet_pool": "fitted",
    }
    assert table["pain_score_peak"].attrs["long_name"] == "pain_score: highest value"
    # Rests on the blockade too, whose tag is the weaker one.
    assert table["endorphin_rebound_area"].attrs["evidence"] == "fitted"
    assert table["endorphin_mean_while_unblocked"].attrs["evidence"] == "hypothesis"
    assert table["endorphin_mean_while_unblocked"].attrs["evidence_pet_pool"] == "hypothesis"
    assert table.attrs["scenario"] == "made up"
    assert set(table.coords) == {"account", "arm"}
    of = {
        name: {str(v).removeprefix(f"{name}_") for v in table if table[v].attrs.get("output") == name}
        for name in LABELS
    }
    always = {"peak", "trough", "mean", "time_of_peak"}
    rebound = {"rebound_peak", "rebound_clock_time", "rebound_hours", "rebound_area", "suppressed_area", "net_area"}
    assert of["pain_score"] == always
    assert of["kappa_occupancy"] == always | {"hours_above_50", "hours_above_80"}
    assert of["mu_occupancy"] == of["kappa_occupancy"] | {"unblocked_hours"}
    assert of["opioid_tone"] == of["endorphin"] == always | rebound | {"mean_while_unblocked"}
    exposure = {"Cmax", "Tmax", "AUC_tau", "AUC_inf", "AUC_inf_extrapolated", "t_half", "t_half_span"}
    assert of["Cp"] == always | exposure


def test_a_result_from_a_file_gives_the_same_table(tmp_path: Path) -> None:
    result = everything(people=2)
    result["status"][0, 0, 1] = 1
    result["reason"][0, 0, 1] = "diverged"
    result.to_netcdf(tmp_path / "result.nc")
    fresh = metrics.summarize(result)
    with xr.open_dataset(tmp_path / "result.nc") as opened:
        again = metrics.summarize(opened)
        again.to_netcdf(tmp_path / "table.nc")
    with xr.open_dataset(tmp_path / "table.nc") as reopened:
        xr.testing.assert_equal(reopened.astype(object), fresh.astype(object))
        xr.testing.assert_allclose(
            metrics.over_people(reopened).drop_attrs(), metrics.over_people(fresh).drop_attrs(), rtol=1e-14
        )


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((30.0, 30.0), "from 30 h to 30 h is empty"),
        ((30.0, 20.0), "from 30 h to 20 h is empty"),
        ((np.nan, 20.0), "from nan h to 20 h is empty"),
        ((-1.0, 24.0), "from -1 h to 24 h reaches outside the simulation; expected times from 0 h to 72 h"),
        ((48.0, 96.0), "from 48 h to 96 h reaches outside"),
        ((1.0, 2.0, 3.0), r"is \(1.0, 2.0, 3.0\); expected two times in h"),
    ],
)
def test_windows_that_cannot_be(window: tuple[float, ...], said: str) -> None:
    with pytest.raises(LdnsimError, match=said):
        metrics.summarize(everything(), window)  # type: ignore[arg-type]


def test_datasets_that_are_no_results() -> None:
    with pytest.raises(LdnsimError, match="no simulation result: expected a coordinate 'time' in h, found x"):
        metrics.summarize(xr.Dataset(coords={"x": [1, 2]}))
    with pytest.raises(LdnsimError, match="no simulation result"):
        metrics.summarize(made_up(HOURLY[:0], {"pain_score": HOURLY[:0]}))
    with pytest.raises(LdnsimError, match="from 5 h to 5 h is empty"):
        metrics.summarize(made_up(np.array([5.0]), {"pain_score": np.array([1.0])}, window=None))


def test_over_people() -> None:
    result = everything(people=5)
    people = np.arange(5.0)[:, None]
    result["pain_score"][:] = HOURLY * (1 + people)
    result["status"][0, 0, 4] = 1
    result["reason"][0, 0, 4] = "diverged"
    summary = metrics.over_people(metrics.summarize(result))
    assert summary["pain_score_peak"].dims == ("account", "arm", "quantile")
    assert list(summary["quantile"]) == [0.05, 0.5, 0.95]
    assert summary["n_solved"].values.tolist() == [[4, 5], [5, 5]]
    median = summary["pain_score_peak"].sel(quantile=0.5)
    assert median.values.ravel() == pytest.approx([48 * 2.5, 48 * 3, 48 * 3, 48 * 3])
    assert summary["pain_score_peak"].sel(quantile=0.95)[1, 1] == pytest.approx(48 * 4.8)
    assert summary["pain_score_peak"].attrs["metric"] == "peak"
    assert summary["Cp_t_half_n"].sel(arm="placebo").values.tolist() == [0, 0]
    assert summary["Cp_t_half_n"].sel(arm="night").values.tolist() == [4, 5]
    assert np.isnan(summary["Cp_t_half"].sel(arm="placebo")).all()
    assert not any(str(name).endswith("_reason") for name in summary)


def test_people_whose_peaks_lie_around_midnight() -> None:
    """Peaks at 23:00, 00:00 and 02:00: the median is midnight, not 02:00 or noon."""
    time = np.arange(0.0, 97.0)
    result = made_up(time, {"pain_score": 0 * time}, people=3, window=(36.0, 60.0))
    for person, peak in enumerate((47.0, 48.0, 50.0)):
        result["pain_score"][:, :, person] = -np.abs(time - peak)
    table = metrics.summarize(result)
    assert table["pain_score_time_of_peak"][0, 0].values.tolist() == [23.0, 0.0, 2.0]
    low, median, high = metrics.over_people(table, (0.0, 0.5, 1.0))["pain_score_time_of_peak"][0, 0].values
    assert (low, high) == (pytest.approx(23.0), pytest.approx(2.0))
    assert min(median, 24 - median) == pytest.approx(0.0, abs=1e-9)


def test_ratios_are_taken_before_people_are_averaged() -> None:
    """Half and double the twin: each ratio counts alike, so the median is 1.25, not the ratio of medians."""
    result = made_up(HOURLY, {"endorphin": 1 + 0 * HOURLY}, people=2, twins={"endorphin": 1 + 0 * HOURLY})
    result["endorphin"][:, :, 0] = 1.0
    result["endorphin"][:, :, 1] = 6.0
    result["endorphin_drug_free"][:, 0] = 2.0
    result["endorphin_drug_free"][:, 1] = 3.0
    middle = metrics.over_people(metrics.summarize(result), [0.5])["endorphin_net_area"]
    assert middle.values.ravel() == pytest.approx([24 * 0.25] * 4)


@pytest.mark.parametrize("quantiles", [(), (0.5, 1.5), (-0.1,), (np.nan,), 0.5])
def test_quantiles_that_cannot_be(quantiles: tuple[float, ...]) -> None:
    with pytest.raises(LdnsimError, match="numbers from 0 to 1"):
        metrics.over_people(metrics.summarize(everything(people=2)), quantiles)


def test_a_table_without_people() -> None:
    with pytest.raises(LdnsimError, match="has no people"):
        metrics.over_people(metrics.summarize(everything()))


def test_a_thousand_people_take_seconds() -> None:
    time = np.unique(np.concatenate([np.arange(0.0, 913.0), 888 + np.arange(289) / 12]))
    doses = tuple(22 + 24.0 * day for day in range(37))
    tone = 1 + 0.1 * np.sin(time / 24 * 2 * np.pi)
    result = made_up(
        time,
        {"Cp": one_compartment(time, doses), "mu_occupancy": np.abs(np.sin(time)), "opioid_tone": tone},
        doses=doses,
        people=1000,
        window=(888.0, 912.0),
    )
    rng = np.random.default_rng(1)
    result["dose_time"][:] = result["dose_time"] + rng.uniform(-1, 1, (1, 1000, 1))  # everybody at another time
    start = clock.perf_counter()
    metrics.over_people(metrics.summarize(result))
    assert clock.perf_counter() - start < 20  # about 2 s; the slack is for a busy machine


curves = st.lists(st.floats(0.0, 3.0), min_size=5, max_size=5)


@settings(deadline=None)
@given(values=curves, gaps=st.lists(st.floats(1e-9, 10.0), min_size=4, max_size=4))
def test_area_above_less_area_below_is_the_net_area(values: list[float], gaps: list[float]) -> None:
    time = np.concatenate([[0.0], np.cumsum(gaps)])
    result = made_up(time, {"opioid_tone": np.array(values)}, window=(0.0, float(time[-1])))
    table = metrics.summarize(result)
    above, below = night(table, "opioid_tone_rebound_area"), night(table, "opioid_tone_suppressed_area")
    assert above >= 0
    assert below >= 0
    assert night(table, "opioid_tone_net_area") == pytest.approx(above - below, abs=1e-9)
    width = float(time[-1])
    assert night(table, "opioid_tone_mean") == pytest.approx(1 + (above - below) / width, abs=1e-6)


@settings(deadline=None)
@given(values=curves, low=st.floats(0, 3), high=st.floats(0, 3))
def test_hours_fall_with_the_threshold_and_are_complementary(values: list[float], low: float, high: float) -> None:
    time, curve = np.array([0.0, 1.0, 1.5, 7.0, 24.0]), np.array(values)
    low, high = min(low, high), max(low, high)
    signal = sampled(time, curve[None])
    assert signal.hours_above(low) >= signal.hours_above(high) - 1e-12
    assert signal.area_above(low) >= signal.area_above(high) - 1e-12
    at_level = np.diff(time)[(curve[:-1] == low) & (curve[1:] == low)].sum()
    both = signal.hours_above(low) + signal.hours_below(low)
    assert both == pytest.approx(24.0 - at_level, abs=1e-9)


@settings(deadline=None)
@given(values=curves, gate=curves, level=st.floats(0.1, 3))
def test_open_and_closed_means_make_up_the_whole(values: list[float], gate: list[float], level: float) -> None:
    time, curve, door = np.array([0.0, 1.0, 1.5, 7.0, 24.0]), np.array(values), np.array(gate)
    door = np.where(door == level, level + 0.01, door)  # at the level is neither open nor closed
    signal, gated = sampled(time, curve[None]), sampled(time, door[None])
    open_hours, closed_hours = gated.hours_below(level).item(), gated.hours_above(level).item()
    opened = signal.mean_while_below(gated, level).item()
    closed = signal.mean_while_below(gated.negative, -level).item()
    assert np.isnan(opened) == (open_hours == 0)
    assert np.isnan(closed) == (closed_hours == 0)
    whole = np.sum(np.diff(time) * (curve[1:] + curve[:-1]) / 2)
    parts = [mean * hours for mean, hours in ((opened, open_hours), (closed, closed_hours)) if hours > 0]
    assert sum(parts) == pytest.approx(whole, abs=1e-9)


@given(scale=st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_exposure_scales_with_the_unit_and_times_do_not(scale: float) -> None:
    curve = one_compartment(HOURLY, (22.0,))
    plain = metrics.summarize(made_up(HOURLY, {"Cp": curve}))
    scaled = metrics.summarize(made_up(HOURLY, {"Cp": curve * scale}))
    for metric in ("Cmax", "AUC_tau", "AUC_inf", "mean", "trough"):
        assert night(scaled, f"Cp_{metric}") == pytest.approx(scale * night(plain, f"Cp_{metric}"), rel=1e-9)
    for metric in ("Tmax", "t_half", "t_half_span", "AUC_inf_extrapolated", "time_of_peak"):
        assert night(scaled, f"Cp_{metric}") == pytest.approx(night(plain, f"Cp_{metric}"), rel=1e-9)


@settings(deadline=None)
@given(shift=st.integers(-20, 20))
def test_a_regimen_moved_by_hours_moves_the_clock_times_with_it(shift: int) -> None:
    time = np.arange(-48.0, 121.0)
    wave = 1 + 0.2 * np.cos(2 * np.pi * (time - 3 - shift) / 24)
    start = 24.0 + shift
    table = metrics.summarize(made_up(time, {"opioid_tone": wave, "mu_occupancy": 0 * time}), (start, start + 24))
    assert night(table, "opioid_tone_rebound_clock_time") == (3 + shift) % 24
    assert night(table, "opioid_tone_time_of_peak") == (3 + shift) % 24


class TestEffects:
    """Shares that are 0 without drugs, each arm against the first at the same time."""

    @pytest.fixture
    def table(self):
        effect = np.where(HOURLY < 24, 0.0, np.maximum(0.6 - 0.05 * (HOURLY - 24), 0.0))
        result = made_up(HOURLY, {"agonist_occupancy": effect})
        result["agonist_occupancy"][:, 1] *= np.where((HOURLY > 25.5) & (HOURLY < 28.5), 0.25, 1.0)
        return metrics.summarize(result).isel(account=0)

    def test_when_it_is_largest_is_counted_from_the_start_of_the_window(self, table):
        assert table.agonist_occupancy_hours_to_peak.values.tolist() == [0, 0]

    def test_how_long_it_is_halved_against_the_first_arm(self, table):
        halved = table.agonist_occupancy_halved_hours
        assert float(halved.sel(arm="night")) == 0
        # a quarter is left at 26, 27 and 28 h; on the straight lines beside it the half is crossed
        assert float(halved.sel(arm="placebo")) == pytest.approx(2 + 2 / 3, abs=0.1)

    def test_how_little_is_left_of_it(self, table):
        assert float(table.agonist_occupancy_least_of_first.sel(arm="placebo")) == pytest.approx(0.25)
        assert float(table.agonist_occupancy_least_of_first.sel(arm="night")) == 1

    def test_next_to_nothing_is_not_halved(self):
        """The tail of the first arm counts for nothing, however little there is elsewhere."""
        time = np.unique([*HOURLY, np.nextafter(30.0, 0.0)])
        effect = np.where(time < 30, 0.5, 0.01)
        result = made_up(time, {"agonist_occupancy": effect})
        result["agonist_occupancy"][:, 1] *= np.where(time < 30, 1.0, 0.0)
        table = metrics.summarize(result).sel(arm="placebo").isel(account=0)
        assert float(table.agonist_occupancy_halved_hours) < 1
        assert float(table.agonist_occupancy_least_of_first) == 1

    def test_without_any_there_is_a_reason(self):
        table = metrics.summarize(made_up(HOURLY, {"agonist_occupancy": np.zeros_like(HOURLY)})).isel(account=0, arm=1)
        assert np.isnan(table.agonist_occupancy_least_of_first)
        assert str(table.agonist_occupancy_least_of_first_reason.values) == "the first arm has no effect"
        assert str(table.agonist_occupancy_hours_to_peak_reason.values) == "there is no effect"


def test_exposure_is_counted_from_the_doses_that_reach_the_output():
    """With another drug taken at 46 h, the time to the peak of this one still runs from its own dose."""
    result = made_up(HOURLY, {"Cp": np.exp(-np.abs(HOURLY - 24.0))}, doses=(22.0, 23.0))
    result["dose_input"][0, 1] = "other"
    assert float(metrics.summarize(result).Cp_Tmax[0, 0]) == 1.0
    result["Cp"].attrs["inputs"] = ["oral"]
    assert float(metrics.summarize(result).Cp_Tmax[0, 0]) == 2.0


def test_an_arm_without_mechanism_has_concentrations_only():
    result = made_up(HOURLY, {"Cp": np.exp(-HOURLY), "mu_occupancy": np.full_like(HOURLY, np.nan)})
    result.attrs["no_mechanism"] = '{"night": "why"}'
    row = metrics.summarize(result).sel(account="pet_pool", arm="night")
    assert np.isnan(row.mu_occupancy_mean)
    assert str(row.mu_occupancy_mean_reason.values) == metrics.NO_MECHANISM
    assert float(row.Cp_Cmax) > 0
