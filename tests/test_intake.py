"""What people take, as variables of a result; and regimens of several drugs and ways, on the real model."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import ldnsim as ldn
from ldnsim.simulation.dose_variables import planned_intake

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
DOSES = {"dose_time", "dose_amount", "dose_input"}


def dose_names(result: xr.Dataset) -> set[str]:
    return {str(name) for name in result.data_vars if str(name).split("_")[0] in ("dose", "missed")}


def line(**fields: str) -> str:
    usual = {"input": "oral", "dose": "4.5 mg", "at": '"22:00"'}
    return "{" + ", ".join(f"{name}: {value}" for name, value in {**usual, **fields}.items()) + "}"


def test_a_plain_regimen_has_plain_variables(ask):
    result = ldn.simulate(ask("3 d", "[transient]", night=NIGHT))
    assert dose_names(result) == DOSES
    assert result.dose_time.values.tolist() == [[22, 46, 70]]
    assert result.dose_amount.values.tolist() == [[4.5] * 3]
    assert result.attrs["start_day"] == "mon"


def test_what_was_really_taken_is_beside_the_label(ask):
    tablet = line(split="halves", bottle="{holds: 4, potency: [90 %, 110 %], t90: 10 d}")
    result = ldn.simulate(ask("8 d", "[transient]", night=NIGHT, halves=tablet))
    assert dose_names(result) == {*DOSES, "dose_taken"}
    taken = result.dose_taken.sel(arm="halves").values
    assert result.dose_amount.sel(arm="halves").values.tolist() == [4.5] * 8
    assert len(set(taken.tolist())) == 8
    assert result.dose_taken.sel(arm="night").values.tolist() == [4.5] * 8
    # plasma is that of the doses really taken
    lines = ", ".join(
        line(dose=f"{float(mg)!r} mg", **{"from": f"day {day}", "until": f"day {day}"})
        for day, mg in enumerate(taken, start=1)
    )
    again = ldn.simulate(ask("8 d", "[transient]", each=lines), times=result.time.values)
    np.testing.assert_allclose(again.Cp.sel(arm="each"), result.Cp.sel(arm="halves"), rtol=1e-5, atol=1e-6)


def test_missed_and_late_doses(ask):
    late = line(missed="[day 2]", late="{day 3: 3 h}")
    result = ldn.simulate(ask("4 d", "[transient]", night=NIGHT, off=late))
    assert dose_names(result) == {*DOSES, "dose_late", "missed_time", "missed_amount", "missed_input"}
    assert result.missed_time.sel(arm="off").values.tolist() == [46]
    assert np.isnan(result.missed_time.sel(arm="night").values).all()
    assert result.dose_late.sel(arm="off").values[:3].tolist() == [0, 3, 0]
    assert result.dose_time.sel(arm="off").values[:3].tolist() == [22, 73, 94]


def test_each_person_misses_doses_of_their_own(ask, tmp_path):
    question = ask("10 d", "[transient]", extra="population: {size: 6, seed: 2}", night=line(miss="30 %"))
    result = ldn.simulate(question)
    assert result.missed_time.dims == ("arm", "subject", "missed")
    for subject in result.subject.values:
        one = result.sel(subject=subject, arm="night")
        both = np.concatenate([one.dose_time.values, one.missed_time.values])
        assert sorted(both[np.isfinite(both)]) == [22 + 24 * day for day in range(10)]
        alone = planned_intake(question, int(subject)).sel(arm="night")
        assert alone.dose_time.values.tolist() == one.dose_time.dropna("dose").values.tolist()
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as again:
        np.testing.assert_array_equal(again.missed_time, result.missed_time)


def test_a_dose_in_nanomoles_is_weighed_as_its_label_would_be(ask):
    """377.86 g/mol of hydrochloride by mouth, 341.41 g/mol of base into a vein."""
    lines = line(dose="10000 nmol") + ", " + line(input="intravenous", dose="10000 nmol", at='"08:00"')
    result = ldn.simulate(ask("1 d", "[transient]", both=lines))
    assert result.dose_amount.values.ravel().tolist() == pytest.approx([3.4141, 3.7786])


def test_the_intake_of_a_scenario_is_that_of_its_result(ask):
    lines = (
        line(miss="20 %", jitter="30 min", potency="[90 %, 110 %]")
        + ", "
        + line(input="intravenous", at='"08:00"', infuse="2 h")
    )
    question = ask("6 d", "[transient]", mixed=lines)
    result, ahead = ldn.simulate(question), planned_intake(question)
    for name in dose_names(result):
        np.testing.assert_array_equal(result[name], ahead[name])
    assert dose_names(ahead) == dose_names(result) >= {"dose_infuse", "dose_late", "dose_taken"}


# --- several drugs and ways in one arm

TIMES = np.arange(0, 96.5, 0.5)


def test_two_drugs_in_one_arm_add_up(ask):
    """6-beta-naltrexol into a vein does not touch naltrexone, and its plasma adds to what naltrexone becomes."""
    parent = line(input="intravenous", dose="1 mg", at='["08:00", "20:00"]')
    metabolite = line(input="naltrexol_intravenous", dose="0.5 mg", at='"12:00"', infuse="6 h", days="[tue, wed]")
    question = ask("4 d", "[transient]", one=parent, other=metabolite, both=f"{parent}, {metabolite}")
    result = ldn.simulate(question, times=TIMES, rtol=1e-9)
    one, other, both = (result.sel(arm=name) for name in ("one", "other", "both"))
    np.testing.assert_allclose(both.Cp, one.Cp, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(both.Cm, one.Cm + other.Cm, rtol=1e-6, atol=1e-6)
    assert float(other.Cp.max()) == 0
    assert set(result.dose_input.sel(arm="both").values) == {"intravenous", "naltrexol_intravenous"}


def test_four_ways_in_one_arm_add_up(ask):
    ways = {
        "mouth": line(dose="3 mg"),
        "vein": line(input="intravenous", dose="0.2 mg", at='"08:00"', **{"from": "day 2"}),
        "drip": line(input="intravenous", dose="1 mg", at='"23:00"', infuse="5 h", until="day 2"),
        "shot": line(input="depot", dose="10 mg", at='"00:00"', until="day 1"),
    }
    result = ldn.simulate(ask("4 d", "[transient]", **ways, all=", ".join(ways.values())), times=TIMES, rtol=1e-9)
    added = sum(result.Cp.sel(arm=name) for name in ways)
    np.testing.assert_allclose(result.Cp.sel(arm="all"), added, rtol=1e-5, atol=1e-7)
    assert result.Cp.sel(arm="shot", time=1.0).item() > 0  # at t = 0 already


def test_doses_at_the_ends_of_a_run(ask):
    """One at t = 0 counts from the first moment; one at the very end is not part of the run; two at once are one."""
    at_start = line(input="intravenous", dose="1 mg", at='"00:00"', until="day 1")
    twice = ", ".join([line(input="intravenous", dose="0.5 mg", at='"00:00"', until="day 1")] * 2)
    result = ldn.simulate(ask("24 h", "[transient]", once=at_start, twice=twice), times=[0.0, 1e-9, 1.0, 24.0])
    assert result.Cp.sel(arm="once").values[0, 0] == 0
    assert result.Cp.sel(arm="once").values[0, 1] == pytest.approx(1e6 / 341.41 / 148, rel=1e-3)
    np.testing.assert_allclose(result.Cp.sel(arm="twice"), result.Cp.sel(arm="once"), rtol=1e-6)
    last = ldn.simulate(ask("22 h", "[transient]", late=NIGHT.replace("22:00", "21:59")), times=[21.0, 22.0])
    assert last.dose_time.values.ravel().tolist() == pytest.approx([21 + 59 / 60])
    assert float(last.Cp.max()) == 0  # still within the lag


def test_ten_thousand_doses_by_the_clock(ask):
    """500 h of a dose every 3 min are a drip: the same plasma as an infusion at that rate."""
    steps = line(input="intravenous", dose="0.01 mg", at='"00:00"', every="3 min")
    drip = line(input="intravenous", dose="100 mg", at='"00:00"', infuse="500 h", until="day 1")
    result = ldn.simulate(ask("500 h", "[transient]", steps=steps, drip=drip), times=[100.025, 499.975])
    assert result.sizes["dose"] == 10_000
    np.testing.assert_allclose(result.Cp.sel(arm="steps"), result.Cp.sel(arm="drip"), rtol=2e-3)


def test_a_late_dose_that_the_next_one_overtakes_is_told(ask):
    notes = ldn.simulate(ask("9 d", "[transient]", night=line(late="{day 2: 50 h, day 5: 2 h}"))).attrs["notes"]
    assert "night: the dose of day 2 comes so late that the next is due: both are taken." in notes
    assert not any("day 5" in note for note in notes)
    assert ldn.simulate(ask("9 d", "[transient]", night=line(late="{day 5: 2 h}"))).attrs["notes"] == []
