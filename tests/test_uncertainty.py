"""What is not known of parameters: draws from ranges and from a fit, beside the values as stated."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.report.answer import answers
from ldnsim.report.comparison import comparison
from ldnsim.report.page import page
from ldnsim.report.terminal import print_answer
from ldnsim.scenario.changes import resolve, settings_of_draw
from ldnsim.simulation.result import stated

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
MORNING = '{input: oral, dose: 4.5 mg, at: "08:00"}'
RANGES = "uncertainty: {draws: 5, parameters: [CL, occupancy.t_pool]}\n"
FIT = {
    "format": "ldnsim-fit-result/1",
    "parameters": {
        "occupancy.EC50": {"value": "1.57 ng/mL", "interval": ["1 ng/mL", "2 ng/mL"]},
        "occupancy.f": {"value": 20.5},
    },
    "order": ["occupancy.EC50", "occupancy.f"],
    "covariance_log": [[0.09, 0.07], [0.07, 0.0625]],
    "made_by": "a test",
}


def draws_of(scenario, draws, *names):
    resolved = resolve(scenario)
    found = [
        settings_of_draw(scenario.model, resolved.uncertainty, resolved.settings, draw)[0] for draw in range(1, draws)
    ]
    return [np.array([setting.values[name].value for setting in found]) for name in names]


def with_fit(ask, tmp_path, changes=(), extra="{draws: 4, fit: fit.json}"):
    (tmp_path / "fit.json").write_text(json.dumps({**FIT, **dict(changes)}, indent=1))
    return ask("2 d", "[pet_pool]", extra=f"uncertainty: {extra}\n", night=NIGHT)


def test_a_range_is_drawn_around_the_stated_value(ask):
    scenario = ask("1 d", "[pet_pool]", extra="uncertainty: {draws: 9, parameters: [CL, t_pool, phi]}", night=NIGHT)
    cl, t_pool, phi = draws_of(scenario, 4001, "plasma.CL", "occupancy.t_pool", "endorphin.phi")
    for found, (low, value, high) in zip(
        (cl, t_pool, phi), ((94, 150, 211), (20, 26, 40), (0, 11.48, 24)), strict=True
    ):
        assert low <= found.min() < found.max() <= high
        assert np.median(found) == pytest.approx(value, rel=0.05)
        assert (found < low + 0.1 * (high - low)).any()
        assert (found > high - 0.1 * (high - low)).any()
    below = cl[cl < 150]
    assert np.median(below) == pytest.approx(np.sqrt(94 * 150), rel=0.02)  # even on the logarithm
    assert abs(np.corrcoef(cl, t_pool)[0, 1]) < 0.05


def test_a_fit_is_drawn_with_its_covariance(ask, tmp_path):
    scenario = with_fit(ask, tmp_path)
    assert resolve(scenario).settings[0].values["occupancy.EC50"].value == 1.57
    ec50, f = draws_of(scenario, 4001, "occupancy.EC50", "occupancy.f")
    np.testing.assert_allclose(np.cov(np.log(ec50), np.log(f)), FIT["covariance_log"], rtol=0.08)
    assert np.median(ec50) == pytest.approx(1.57, rel=0.02)
    assert np.median(f) == pytest.approx(20.5, rel=0.02)


def test_a_parameter_without_variance_stays_and_the_others_are_drawn(ask, tmp_path):
    scenario = with_fit(ask, tmp_path, {"covariance_log": [[0, 0], [0, 0.04]]})
    ec50, f = draws_of(scenario, 4001, "occupancy.EC50", "occupancy.f")
    assert set(ec50.tolist()) == {1.57}
    assert np.log(f).std() == pytest.approx(0.2, rel=0.05)


def test_draw_0_is_the_run_without_uncertainty_and_draws_stay_the_same(ask):
    plain = ldn.simulate(ask("2 d", "[transient, pet_pool]", night=NIGHT))
    some = ldn.simulate(ask("2 d", "[transient, pet_pool]", extra=RANGES, night=NIGHT))
    more = ldn.simulate(ask("2 d", "[transient, pet_pool]", extra=RANGES.replace("draws: 5", "draws: 7"), night=NIGHT))
    assert some.Cp.dims == ("draw", "account", "arm", "time")
    assert stated(some).Cp.values.tobytes() == plain.Cp.values.tobytes()
    assert some.opioid_tone.values.tobytes() == more.opioid_tone.sel(draw=some.draw).values.tobytes()
    assert len(np.unique(some.drawn_plasma_CL)) == 6
    assert some.drawn_plasma_CL.values[0] == 150
    assert some.drawn_occupancy_t_pool.dims == ("draw", "account")
    same = some.isel(account=0).mu_occupancy.max("time")  # the transient account has no pool; clearance moves it
    assert len(np.unique(same)) == 6
    scenario = ask("2 d", "[pet_pool]", extra="", night=NIGHT)
    by_hand = scenario.with_changes(
        {
            "plasma.CL": f"{float(some.drawn_plasma_CL[3])!r} L/h",
            "occupancy.t_pool": f"{float(some.drawn_occupancy_t_pool[3, 1])!r} h",
        }
    )
    third = some.mu_occupancy.sel(draw=3, account="pet_pool").squeeze()
    np.testing.assert_allclose(ldn.simulate(by_hand).mu_occupancy.squeeze(), third, rtol=1e-6)


def test_tables_show_people_and_uncertainty(ask, capsys):
    extra = RANGES + "population: {size: 6, seed: 4}\nreport: [mu_occupancy]\n"
    result = ldn.simulate(ask("2 d", "[pet_pool]", extra=extra, night=NIGHT, morning=MORNING))
    assert result.mu_occupancy.dims == ("draw", "account", "arm", "subject", "time")
    table = ldn.summarize(result)
    cell = next(each for each in comparison(table) if each.output == "mu_occupancy").rows[0].cells[0]
    without = ldn.summarize(stated(result))
    before = next(each for each in comparison(without) if each.output == "mu_occupancy").rows[0].cells[0]
    assert (cell.text, cell.spread, cell.difference) == (before.text, before.spread, before.difference)
    medians = table.mu_occupancy_mean.isel(account=0, arm=0, draw=slice(1, None)).median("subject")
    low, high = (100 * float(end) for end in medians.quantile([0.05, 0.95]))
    assert cell.uncertainty == f"{low:.1f} % to {high:.1f} %"
    assert before.uncertainty == ""
    texts = answers(result, table)
    assert texts == answers(stated(result), without)
    print_answer(result, table, texts, [])
    printed = " ".join(capsys.readouterr().out.split())
    assert "{" in printed
    assert "over 5 draws of uncertain parameters (plasma.CL, occupancy.t_pool)" in printed
    html = page(result, table, texts)
    assert f"[{cell.uncertainty}]" in html
    assert "range over draws of the uncertain parameters" in html


def test_what_was_set_together_and_is_drawn_apart_is_noted(ask):
    scenario = ask(
        "1 d", "[pet_pool]", extra="uncertainty: {draws: 1, parameters: [occupancy.EC50, occupancy.f]}", night=NIGHT
    )
    notes = ldn.simulate(scenario).attrs["notes"]
    assert any(note.startswith("occupancy.EC50, occupancy.f are drawn each on its own") for note in notes)


def test_results_with_draws_go_through_a_file(ask, tmp_path):
    import xarray as xr

    result = ldn.simulate(ask("1 d", "[pet_pool]", extra=RANGES, night=NIGHT))
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as again:
        np.testing.assert_array_equal(again.Cp, result.Cp)
        assert comparison(ldn.summarize(again))[0].rows[0].cells[0].uncertainty


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("{draws: 0, parameters: [CL]}", "0 is out of range"),
        ("{draws: 2}", "nothing is said to be uncertain"),
        ("{draws: 2, parameters: [CLL]}", "'CLL' names no parameter"),
        ("{draws: 2, parameters: [CL, plasma.CL]}", "'CL' and 'plasma.CL' are the same parameter"),
        ("{draws: 2, parameters: [person.weight_typical]}", "person.weight_typical has no range to draw from"),
        ("{draws: 2, parameters: [plasma.rivals]}", "plasma.rivals: rival sets are no range"),
        ("{draws: 2, fit: fitt.json}", "there is no file 'fitt.json'"),
        ("{draws: 2, parameters: [occupancy.f], fit: fit.json}", "occupancy.f is drawn with the fit's covariance"),
        ("{draws: 2, parameters: [CL]}\nchanges: {plasma.CL: 500 L/h}", "plasma.CL is 500 L/h in pet_pool, outside"),
        ("{draws: 2, fit: fit.json}\nchanges: {occupancy.f: 30}", "occupancy.f moves nothing: the fit says"),
    ],
)
def test_uncertainty_that_cannot_be_is_told_with_its_line(ask, tmp_path, extra, message):
    with pytest.raises(ldn.LdnsimError) as caught:
        with_fit(ask, tmp_path, extra=extra)
    assert any(fault.message.startswith(message) and fault.line for fault in caught.value.faults), caught.value


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"order": ["occupancy.EC50", "occupancy.g"]}, "the fit holds no value of 'occupancy.g'"),
        ({"order": ["occupancy.EC50"]}, "the covariance of the fit is no matrix of 1 by 1"),
        ({"order": []}, "the order of the fit is empty"),
        (
            {"covariance_log": [[0.09, 0.2], [0.2, 0.0625]]},
            "the covariance of occupancy.EC50 and occupancy.f",
        ),
        (
            {"covariance_log": [[0.09, 0.02], [0.01, 0.0625]]},
            "the covariance of occupancy.f and occupancy.EC50 is",
        ),
        ({"covariance_log": [[-1, 0], [0, 0.0625]]}, "the covariance of the fit has a variance below 0"),
        ({"parameters": {**FIT["parameters"], "occupancy.EC50": {"value": "1 h"}}}, "the fit has occupancy.EC50 = 1 h"),
        ({"parameters": {**FIT["parameters"], "occupancy.f": {"value": 0}}}, "the fit has occupancy.f = 0"),
        ({"parameters": {"occupancy.f": {}}}, "'value' is missing"),
        ({"format": "ldnsim-fit-result/2"}, "unknown value 'ldnsim-fit-result/2'"),
    ],
)
def test_a_faulty_fit_is_told_with_its_line(ask, tmp_path, changes, message):
    with pytest.raises(ldn.LdnsimError) as caught:
        with_fit(ask, tmp_path, changes)
    assert any(fault.message.startswith(message) and fault.line for fault in caught.value.faults), caught.value


def test_a_sweep_says_that_it_does_not_draw(ask):
    with pytest.raises(ldn.LdnsimError, match="a sweep does not draw uncertain parameters"):
        ldn.sweep(ask("1 d", "[pet_pool]", extra=RANGES, night=NIGHT), {"night.dose": ["1.5 mg", "3 mg"]})


def test_a_fit_moves_the_account_that_it_is_about(ask, tmp_path):
    """Accounts carry their own values of a parameter: those of one are not put into another."""
    found = {
        "format": "ldnsim-fit-result/1",
        "account": "pet_pool",
        "parameters": {"occupancy.EC50": {"value": "3 ng/mL"}},
        "order": ["occupancy.EC50"],
        "covariance_log": [[0.04]],
    }
    (tmp_path / "found.json").write_text(json.dumps(found))
    night = '{input: oral, dose: 4.5 mg, at: "22:00"}'
    report = "report: [mu_occupancy]\n"
    plain = ldn.simulate(ask("1 d", "[transient, pet_pool]", extra=report, night=night))
    path = tmp_path / "found.json"
    drawn = ldn.simulate(
        ask("1 d", "[transient, pet_pool]", extra=f"{report}uncertainty: {{draws: 2, fit: {path}}}", night=night)
    )
    for draw in range(3):
        same = drawn.mu_occupancy.sel(draw=draw, account="transient")
        np.testing.assert_array_equal(same, plain.mu_occupancy.sel(account="transient"))
    assert not np.array_equal(
        drawn.mu_occupancy.sel(draw=0, account="pet_pool"), plain.mu_occupancy.sel(account="pet_pool")
    )
