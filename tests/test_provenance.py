"""What a result says of itself: odd windows, doses beyond all data, crossed accounts, values changed by hand."""

from __future__ import annotations

import pytest

import ldnsim as ldn
from ldnsim.library.index import LIBRARY
from ldnsim.metrics.summary import silent_arms
from ldnsim.plots.coverage import coverage
from ldnsim.plots.curves import first_dose

DAILY = '{input: oral, dose: 4.5 mg, at: "22:00"}'


def test_a_daily_regimen_needs_no_note(ask):
    assert ldn.simulate(ask("7 d", "[transient]", night=DAILY)).attrs["notes"] == []


def test_days_that_differ_are_told_unless_a_window_is_given(ask):
    arm = {"other": '{input: oral, dose: 4.5 mg, at: "22:00", every: 2 d}'}
    (note,) = ldn.simulate(ask("7 d", "[transient]", **arm)).attrs["notes"]
    assert "other: its doses differ from day to day" in note
    assert "hours 144 to 168 only (1 doses, 0 the day before)" in note
    assert ldn.simulate(ask("7 d", "[transient]", extra="window: [96 h, 144 h]", **arm)).attrs["notes"] == []


def test_doses_far_beyond_all_data(ask):
    (note,) = ldn.simulate(ask("3 d", "[transient]", slip='{input: oral, dose: 4.5 g, at: "22:00"}')).attrs["notes"]
    assert note == "slip: 4.5 g is far beyond all doses with human data (up to 50 mg)."


def test_crossed_accounts(ask):
    question = ask("3 d", "[transient, pet_pool]", night=DAILY).with_changes({"occupancy": "occupancy_brain_pool"})
    (note,) = ldn.simulate(question).attrs["notes"]
    assert "transient: occupancy is occupancy_brain_pool instead of occupancy_plasma" in note


def test_a_value_changed_by_hand_makes_a_hypothesis_of_what_rests_on_it(ask):
    question = ask("1 d", "[pet_pool]", night=DAILY)
    assert ldn.simulate(question).mu_occupancy.attrs["evidence"] == "fitted"
    for address in ("occupancy.EC50", "EC50"):
        changed = ldn.simulate(question.with_changes({address: "x 2"}))
        assert changed.mu_occupancy.attrs["evidence"] == "hypothesis"
        assert changed.Cp.attrs["evidence"] == "fitted"
    rival = ldn.simulate(question.with_changes({"occupancy.rivals": "scan_8h"}))
    assert rival.mu_occupancy.attrs["evidence"] == "fitted"  # published together


def test_the_name_that_run_takes(ask):
    assert ldn.simulate(ask("1 d", "[transient]", night=DAILY)).attrs["scenario_file"] == "question.yaml"
    assert ldn.simulate(ldn.load_scenario("first_dose")).attrs["scenario_file"] == "first_dose"


def test_only_what_is_asked_for(ask):
    alone = ldn.simulate(ask("1 d", "[transient]", extra="report: [Cp]", night=DAILY))
    assert "mu_occupancy" not in alone
    toned = ldn.simulate(ask("1 d", "[transient]", extra="report: [opioid_tone]", night=DAILY))
    assert "mu_occupancy" in toned  # `mean_while_unblocked` needs it


def test_shares_in_percent_are_refused(tmp_path):
    """Metrics compare shares with 0.2, 0.5 and 0.8: a unit of % would move every one of them in silence."""
    text = (LIBRARY / "models" / "ldn.yaml").read_text(encoding="utf-8")
    title = 'title: "mu occupancy by naltrexone"\n    unit: '
    assert title in text
    (tmp_path / "ldn.yaml").write_text(text.replace(title + '"1"', title + '"%"'), encoding="utf-8")
    with pytest.raises(ldn.LdnsimError, match="has no unit"):
        ldn.load_model(tmp_path / "ldn.yaml")


def test_human_data_are_of_a_drug(ask):
    """120 mg of morphine are not far beyond what was seen of naltrexone, whose curves start with its own first dose."""
    lines = (
        '{input: morphine_oral, dose: 120 mg, at: "06:00", until: day 1}, '
        '{input: oral, dose: 4.5 mg, at: "08:00", until: day 1}'
    )
    result = ldn.simulate(ask("3 d", "[pet_pool]", model="ldn_opioids", a=lines, extra="window: [0 h, 72 h]"))
    assert result.attrs["notes"] == []
    assert first_dose(result, "a") == pytest.approx((6.0, 120.0))
    assert first_dose(result, "a", result.mu_occupancy.attrs["inputs"]) == pytest.approx((8.0, 4.5))
    reach = coverage(result, "mu_occupancy", ["a"])
    assert reach is not None
    assert (reach.start, reach.end) == (8.0, 16.0)


def test_concentrations_name_the_inputs_that_reach_them(ask):
    result = ldn.simulate(ask("1 d", "[pet_pool]", model="ldn_opioids", a=DAILY))
    assert result.C_morphine.attrs["inputs"] == ["morphine_oral", "morphine_intravenous"]
    assert "naltrexol_intravenous" in result.Cm.attrs["inputs"]
    assert "naltrexol_intravenous" not in result.Cp.attrs["inputs"]


@pytest.mark.parametrize(("dose", "silent"), [("0.9 ug", True), ("1 ug", False), ("0 mg", False), ("2 nmol", True)])
def test_doses_below_the_least_that_a_model_holds(ask, dose, silent):
    arm = DAILY.replace("4.5 mg", dose)
    result = ldn.simulate(ask("2 d", "[pet_pool]", night=arm, usual=DAILY))
    assert ("night" in silent_arms(result)) is silent
    assert bool(result.mu_occupancy.sel(arm="night").isnull().all()) is silent
    assert not bool(result.mu_occupancy.sel(arm="usual").isnull().any())
    assert not bool(result.Cp.isnull().any())
