"""Scenarios that start in the steady state of their regimens: as if they had been followed for ever."""

from __future__ import annotations

import numpy as np
import pytest
from recording import RECORDED

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.report.output_files import write_results
from ldnsim.report.page import page

STEADY = "start: steady_state"
REPORT = "report: [Cp, Cm, mu_occupancy, endorphin, opioid_tone]"
SMALL = str(RECORDED.parent / "small.yaml")


@pytest.mark.parametrize(
    ("line", "days"),
    [
        ('{input: oral, dose: 4.5 mg, at: "22:00"}', 1),
        ('{input: oral, dose: 4.5 mg, at: ["08:00", "23:50"]}', 1),  # the lag of the second reaches over midnight
        ('{input: oral, dose: 4.5 mg, at: "22:00", days: [mon, wed, fri]}', 7),
        ('{input: oral, dose: 4.5 mg, at: "06:00", every: 2 d}', 2),
        ('{input: intravenous, dose: 1 mg, at: "20:00", infuse: 10 h}', 1),
        ('{input: intravenous, dose: 1 mg, at: "20:00", infuse: 30 h}', 1),
        ('{input: oral, dose: 3 mg, at: "10:00", every: 16 h}', 2),
        ('{input: oral_extended, dose: 4.5 mg, at: "20:00"}', 1),  # let go of over midnight
    ],
)
def test_the_first_days_are_those_that_many_lead_to(ask, line, days):
    """Every output, also those that follow the clock; deep states have a half-life of four days."""
    weeks = 11 * 7 * 24 if days == 7 else 80 * 24
    times = np.linspace(0, 24 * days, 48 * days + 1)
    started = ldn.simulate(
        ask(arm=line, duration=f"{days} d", accounts="[pet_pool]", extra=f"{STEADY}\n{REPORT}"), times=times
    )
    long = ask(arm=line, duration=f"{weeks / 24 + days} d", accounts="[pet_pool]", extra=REPORT)
    late = ldn.simulate(long, times=np.append(0.0, weeks + times))
    assert (started.status == 0).all()
    assert started.attrs["notes"] == [] or not any("settled" in note for note in started.attrs["notes"])
    for name in ("Cp", "Cm", "mu_occupancy", "endorphin", "opioid_tone"):
        expected = late[name].values[0, 0, 1:]
        np.testing.assert_allclose(started[name].values[0, 0], expected, rtol=1e-3, atol=1e-4 * expected.max())


def test_drug_free_is_what_runs_start_from_otherwise(ask):
    plain = ask(arm='{input: oral, dose: 4.5 mg, at: "22:00"}', duration="2 d", accounts="[transient]")
    said = ask(
        arm='{input: oral, dose: 4.5 mg, at: "22:00"}', duration="2 d", accounts="[transient]", extra="start: drug_free"
    )
    a, b = ldn.simulate(plain), ldn.simulate(said)
    assert a.Cp.values.tobytes() == b.Cp.values.tobytes()
    assert "steady_residual" not in a


def test_each_account_arm_and_person(ask):
    arms = {
        "night": '{input: oral, dose: 4.5 mg, at: "22:00"}',
        "twice": '{input: oral, dose: 2 mg, at: ["08:00", "20:00"]}',
    }
    extra = f"{STEADY}\n{REPORT}\npopulation: {{size: 3}}"
    result = ldn.simulate(ask(duration="3 d", accounts="[transient, pet_slow]", extra=extra, **arms))
    assert (result.status == 0).all()
    last, first = result.Cp.sel(time=slice(48, 72)), result.Cp.sel(time=slice(0, 24))
    hours = np.arange(24.0)
    np.testing.assert_allclose(last.sel(time=48 + hours).values, first.sel(time=hours).values, rtol=1e-5)
    assert result.steady_residual.dims == ("account", "arm", "subject", "state")
    assert float(result.steady_residual.max()) < 1e-8
    assert np.isnan(result.steady_residual.sel(account="transient", state="occupancy.mu")).all()
    assert len(set(result.Cp.sel(time=10.0, arm="night", account="transient").values.tolist())) == 3
    assert result.dose_time.min() == 8  # what was taken before day 1 is no dose of the run


def test_the_same_people_to_the_bit_whoever_else_is_there(ask):
    line = '{input: oral, dose: 4.5 mg, at: "22:00"}'
    extra = f"{STEADY}\nreport: [Cp, endorphin]\npopulation: {{size: 6}}"
    scenario = ask(arm=line, duration="1 d", accounts="[pet_pool]", extra=extra)
    whole, some = ldn.simulate(scenario), ldn.simulate(scenario, subjects=range(4, 6))
    assert some.endorphin.values.tobytes() == whole.endorphin.values[:, :, 3:5].tobytes()


def test_what_never_settles_is_told_with_the_run(ask, tmp_path):
    line = '{input: vein, dose: 1 mg, at: "22:00"}'
    scenario = ask(arm=line, duration="2 d", model=SMALL, extra=STEADY)
    scenario = scenario.with_changes({"plasma.CL": "0 L/h"})
    result = ldn.simulate(scenario)
    assert (result.status == 0).all()
    [note] = [note for note in result.attrs["notes"] if "settled" in note]
    assert note.startswith("small, arm: plasma.central has not settled: each cycle adds to it without end")
    assert result.steady_residual.sel(state="plasma.central").item() == 1
    assert result.steady_residual.sel(state="plasma.out").item() == 0  # it only counts
    looks = ldn.simulate(scenario, times=[0, 21, 23, 47])
    np.testing.assert_allclose(looks.Cp.values[0, 0], [0, 0, 80, 160], rtol=1e-6, atol=1e-6)
    table = ldn.summarize(result)
    html = page(result, table, [])
    assert "has not settled" in html
    write_results(tmp_path, "steady", result, table, html, ["csv", "parquet", "zarr"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{input: oral, dose: 1 mg, at: "22:00", until: day 3}', "until"),
        ('{input: oral, dose: 1 mg, at: "22:00", from: day 2}', "from"),
        ('{input: oral, ladder: {day 1: 1 mg, day 2: 2 mg}, at: "22:00"}', "ladder"),
        ('{input: oral, dose: 1 mg, at: "22:00", missed: [day 2]}', "missed"),
        ('{input: oral, dose: 1 mg, at: "22:00", late: {day 2: 1 h}}', "late"),
        ('{input: oral, dose: 1 mg, at: "22:00", miss: 10 %}', "miss"),
        ('{input: oral, dose: 1 mg, at: "22:00", jitter: 30 min}', "jitter"),
        ('{input: oral, dose: 1 mg, at: "22:00", potency: [90 %, 110 %]}', "potency"),
    ],
)
def test_regimens_that_do_not_repeat(ask, line, said):
    with pytest.raises(LdnsimError, match=f"a line with `{said}` does not repeat") as caught:
        ask(arm=line, duration="4 d", extra=STEADY)
    [fault] = caught.value.faults
    assert fault.line > 0
    assert "start: drug_free" in fault.expected


def test_lines_that_never_meet_again(ask):
    with pytest.raises(LdnsimError, match="meet again after"):
        ask(arm='{input: oral, dose: 1 mg, at: "01:00", every: 24.01 h}', duration="4 d", extra=STEADY)
    with pytest.raises(LdnsimError, match="first doses are not those"):
        ask(arm='{input: oral, dose: 1 mg, at: "22:00", every: 12 h}', duration="4 d", extra=STEADY)


def test_an_unknown_start(ask):
    with pytest.raises(LdnsimError, match="start"):
        ask(arm='{input: oral, dose: 1 mg, at: "22:00"}', extra="start: steady")


def test_an_arm_without_doses_is_drug_free(ask):
    result = ldn.simulate(ask(none="", duration="2 d", accounts="[pet_pool]", extra=f"{STEADY}\n{REPORT}"))
    np.testing.assert_allclose(result.opioid_tone.values, 1, rtol=1e-6)


def test_parameters_that_differ_between_occasions_have_none(ask):
    extra = f"{STEADY}\nreport: [Cp]\npopulation: {{size: 2, occasion: 1 d}}"
    scenario = ask(arm='{input: oral, dose: 4.5 mg, at: "22:00"}', duration="2 d", accounts="[pet_pool]", extra=extra)
    with pytest.raises(LdnsimError, match="no steady state to start in"):
        ldn.simulate(scenario)
