"""Parameters from data: known ones come back, intervals mean what they say, and what data leave open is said."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.calibration.fitting import fit_files, fitted_model
from ldnsim.calibration.fitting.problem import problem_of
from ldnsim.calibration.fitting.search import evaluate_at
from ldnsim.engine import native
from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.fit_file import Fit
from ldnsim.metrics.catalogue import all_metrics
from ldnsim.model.output_kinds import kind_named
from ldnsim.scenario.changes import setting_of

MODELS = Path(__file__).parent / "models"
HEAD = """\
format: ldnsim-fit/1
name: levels
question: a test
model: {model}
duration: 24 h
arms:
  once: {{regimen: [{{input: oral, dose: 5 mg, at: "00:00", until: day 1}}]}}
  vein: {{regimen: [{{input: vein, dose: 5 mg, at: "00:00", until: day 1}}]}}
"""
ORAL = ("plasma.CL: {start: 3 L/h, bounds: [1 L/h, 100 L/h]}", "plasma.V: {start: 200 L, bounds: [5 L, 500 L]}")
HOURS = (0.75, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 20, 24)


@pytest.fixture
def fit_of(tmp_path):
    """fit_of(estimates, facts, extra="") -> a Fit read from a file, on the one-compartment model."""

    def make(estimates, facts=(), extra="", **tables):
        for name, rows in tables.items():
            (tmp_path / f"{name}.csv").write_text(rows)
            extra += f"tables: {{{name}: {{file: {name}.csv, unit: ng/mL, of: testol, cv: 10 %}}}}\n"
        blocks = "estimate:\n" + "".join(f"  {line}\n" for line in estimates)
        blocks += "facts:\n" + "".join(f"  d{n}: {{{fact}}}\n" for n, fact in enumerate(facts)) if facts else ""
        file = tmp_path / "levels.yaml"
        file.write_text(HEAD.format(model=MODELS / "small.yaml") + blocks + extra)
        return ldn.load_fit(file)

    return make


@pytest.fixture(scope="module")
def truth():
    """Concentrations, ng/mL, at HOURS by the road that everybody else takes: CL 10 L/h, V 50 L."""
    file = "arms: {once: {regimen: [{input: oral, dose: 5 mg, at: '00:00', until: day 1}]}}"
    text = f"format: ldnsim-scenario/1\nname: q\nquestion: q\nmodel: {MODELS / 'small.yaml'}\nduration: 24 h\n{file}\n"
    path = MODELS / "never_written.yaml"
    assert not path.exists()
    return lambda tmp: _levels(tmp, text)


def _levels(folder, text):
    (folder / "q.yaml").write_text(text)
    result = ldn.simulate(ldn.load_scenario(folder / "q.yaml"), times=[0.0, *HOURS], rtol=1e-9)
    return result["Cp"].sel(arm="once").squeeze().values[1:] * 0.250  # nmol/L of 250 g/mol


def table(levels):
    return "arm,output,time,value\n" + "".join(
        f"once,Cp,{hour},{level!r}\n" for hour, level in zip(HOURS, map(float, levels), strict=True)
    )


@cache
def fitted(name):
    return ldn.fit(name)


# --- known parameters


def test_known_parameters_come_back_from_exact_data(fit_of, truth, tmp_path):
    result = ldn.fit(fit_of(ORAL, lab=table(truth(tmp_path))))
    assert result.estimates["value"].to_list() == pytest.approx([10, 50], rel=1e-6)
    assert result.chi2 < 1e-8
    assert result.agreeing == result.tried == 8
    assert not result.estimates[["at_bound", "open_below", "open_above"]].to_numpy().any()


def test_intervals_of_noisy_data_cover_the_truth_as_often_as_they_say(fit_of, truth, tmp_path):
    exact, covered, chi2 = truth(tmp_path), [], []
    random = np.random.default_rng(20)
    for _ in range(16):
        noisy = exact * np.exp(random.normal(0, np.sqrt(np.log1p(0.1**2)), exact.size))
        found = ldn.fit(fit_of(ORAL, lab=table(noisy), extra="starts: 1\n"))
        rows = found.estimates
        covered += [(rows["low"] <= [10, 50]) & (rows["high"] >= [10, 50])]
        chi2.append(found.chi2)
        assert rows["value"].to_list() == pytest.approx([10, 50], rel=0.2)
    assert 0.83 <= np.mean(covered) <= 1.0  # 95 % of 32; three standard errors
    assert 7 < np.mean(chi2) < 13.5  # 10 degrees of freedom: the errors are those that were said


def test_a_cv_counts_on_the_log_scale_an_sd_on_the_linear_one_and_weights_divide(fit_of):
    rows = "arm,output,time,value,cv,sd,weight\nonce,Cp,1,80,,,\nonce,Cp,2,70,30 %,,\n"
    rows += "once,Cp,3,60,,5,\nonce,Cp,4,50,,,4\n"
    problem = problem_of(fit_of(ORAL[:1], lab=rows), "native")
    log_10, log_30, log_5 = (np.sqrt(np.log1p(cv**2)) for cv in (0.1, 0.3, 0.05))
    assert problem.error.tolist() == pytest.approx([log_10, log_30, 5, log_5])
    assert problem.logarithmic.tolist() == [True, True, False, True]
    residuals = problem.residuals(np.array([[160.0, 70, 65, 50]]))[0]
    assert residuals.tolist() == pytest.approx([np.log(2) / log_10, 0, 1, 0])


# --- slopes


def test_slopes_are_those_of_the_reference_solver(fit_of):
    facts = [
        "arm: once, output: Cp, at: 3 h, value: 60 ng/mL, of: testol, cv: 10 %",
        "arm: once, output: Cp, at: drawn, over: 1 h, value: 90 %, cv: 10 %",
        "arm: once, output: occupancy, metric: peak, value: 60 %, sd: 5 %",
        "arm: once, output: Cp, metric: Tmax, value: 2 h, cv: 10 %",
        "arm: once, output: Cp, metric: AUC_tau, value: 400 ng*h/mL, of: testol, cv: 10 %",
        "arm: once, output: Cp, metric: half_life, window: [6 h, 20 h], value: 3 h, sd: 1 h",
    ]
    axes = (*ORAL, "plasma.tlag: {start: 0.5 h, bounds: [0 h, 1 h], scale: linear}")
    record = fit_of((*axes, "drawn: {start: 2 h, bounds: [1.5 h, 4 h]}"), facts)
    fast, slow = problem_of(record, "native"), problem_of(record, "reference")
    at = fast.start
    found = evaluate_at(fast, at).slopes
    nudge = 1e-3
    for column in range(len(at)):
        moved = np.tile(at, (2, 1))
        moved[:, column] += (nudge, -nudge)
        up, down = slow.residuals(slow.predictions(moved)[0])
        assert found[:, column] == pytest.approx((up - down) / (2 * nudge), rel=2e-3, abs=2e-3)


def test_a_slope_at_a_bound_is_one_sided_and_as_good(fit_of):
    fact = "arm: vein, output: Cp, metric: AUC_inf, value: 500 ng*h/mL, of: testol, cv: 10 %"
    problem = problem_of(fit_of(["plasma.CL: {start: 1 L/h, bounds: [1 L/h, 100 L/h]}"], [fact]), "native")
    point = evaluate_at(problem, np.array([1.0]))  # area = dose/CL: the logarithm falls by log(100) from bound to bound
    assert point.slopes[0, 0] == pytest.approx(-np.log(100) / np.sqrt(np.log1p(0.01)), rel=1e-4)


# --- intervals


def test_profiles_of_a_linear_model_are_the_analytic_intervals(fit_of):
    """Peak, area and half-life of a bolus are powers of CL and V: in logarithms the model is linear."""
    facts = [
        "arm: vein, output: Cp, metric: Cmax, value: 110 ng/mL, of: testol, cv: 10 %",
        "arm: vein, output: Cp, metric: AUC_inf, value: 450 ng*h/mL, of: testol, cv: 20 %",
        "arm: vein, output: Cp, metric: half_life, window: [1 h, 20 h], value: 4 h, cv: 15 %",
    ]
    result = ldn.fit(fit_of(ORAL, facts))
    design = np.array([[0, -1], [-1, 0], [-1, 1]]) / np.sqrt(np.log1p(np.array([0.1, 0.2, 0.15]) ** 2))[:, None]
    covariance = np.linalg.inv(design.T @ design)
    assert result.covariance.to_numpy() == pytest.approx(covariance, rel=2e-3)
    rows = result.estimates
    half = 1.959964 * np.sqrt(np.diag(covariance))
    centre = np.log(rows["value"])
    assert np.log(rows["low"]).to_list() == pytest.approx((centre - half).to_list(), abs=0.004 * half.max())
    assert np.log(rows["high"]).to_list() == pytest.approx((centre + half).to_list(), abs=0.004 * half.max())
    target = np.log([110 / (5e3 / 1), 450 / 5e3, 4 / np.log(2)])  # peak = dose/V, area = dose/CL, log(2)*V/CL
    weighted = np.linalg.lstsq(design, target * np.abs(design).max(axis=1), rcond=None)[0]
    assert centre.to_list() == pytest.approx(weighted.tolist(), abs=1e-4)


def test_an_interval_that_the_data_do_not_close_is_open_at_the_bound(fit_of):
    facts = ["arm: once, output: occupancy, metric: peak, value: 99.9 %, sd: 5 %"]
    result = ldn.fit(fit_of(["plasma.Kd: {start: 5 nmol/L, bounds: [0.001 nmol/L, 1000 nmol/L]}"], facts))
    row = result.estimates.loc["plasma.Kd"]
    assert (row["open_below"], row["open_above"]) == (True, False)
    assert row["low"] == pytest.approx(0.001)
    assert "plasma.Kd: the data set no lower limit within its bounds." in result.statements


# --- many starts


def two_times(fit_of, starts):
    """A level is passed on the way up and on the way down; what has been eliminated tells which, weakly."""
    facts = [
        "arm: once, output: Cp, at: drawn, value: 50 ng/mL, of: testol, cv: 2 %",
        "arm: once, output: taken_out, at: drawn, value: 8000 nmol, sd: 3000 nmol",
    ]
    return fit_of(["drawn: {start: 0.8 h, bounds: [0.6 h, 20 h]}"], facts, f"starts: {starts}\n")


def test_many_starts_leave_a_local_minimum_where_one_stays(fit_of):
    alone, many = ldn.fit(two_times(fit_of, 1)), ldn.fit(two_times(fit_of, 8))
    assert many.chi2 < alone.chi2 - 1
    assert alone.estimates["value"].iloc[0] < 1.5 < many.estimates["value"].iloc[0]
    assert 1 <= many.agreeing < many.tried


# --- the same again


def test_the_same_fit_has_the_same_bits_on_any_number_of_threads(fit_of, truth, tmp_path, monkeypatch):
    levels = truth(tmp_path) * np.linspace(0.9, 1.1, len(HOURS))

    def text(cores):
        monkeypatch.setattr(native, "cores", lambda: cores)
        monkeypatch.setattr(native, "PEOPLE_PER_THREAD", 1)
        return fit_files(ldn.fit(fit_of(ORAL, lab=table(levels), extra="starts: 3\n")))["levels.fit.json"]

    assert text(1) == text(1) == text(4)


def test_another_seed_starts_elsewhere_and_ends_at_the_same_place(fit_of, truth, tmp_path):
    levels = truth(tmp_path) * np.linspace(0.9, 1.1, len(HOURS))
    first, second = (ldn.fit(fit_of(ORAL, lab=table(levels), extra=f"seed: {seed}\n")) for seed in (1, 2))
    assert first.estimates["value"].to_list() == pytest.approx(second.estimates["value"].to_list(), rel=1e-5)


# --- what the data leave open


def test_oral_data_fix_ratios_and_the_fit_says_so_by_itself(fit_of, truth, tmp_path):
    axes = (*ORAL, "plasma.F: {start: 0.5, bounds: [0.1, 1]}")
    result = ldn.fit(fit_of(axes, lab=table(truth(tmp_path) / 2), extra="starts: 3\n"))
    said = " ".join(result.statements)
    assert "plasma.CL, plasma.V and plasma.F can rise together" in said
    assert "plasma.F: any value within its bounds fits the data (flat profile)." in said
    value = result.estimates["value"]
    assert value["plasma.F"] / value["plasma.CL"] == pytest.approx(0.8 / 10 / 2, rel=1e-4)  # what the data do determine
    assert np.all(np.linalg.eigvalsh(result.covariance.to_numpy()) > 0)


def test_strongly_correlated_parameters_are_named(fit_of):
    facts = [
        "arm: once, output: Cp, metric: AUC_tau, value: 400 ng*h/mL, of: testol, cv: 2 %",
        "arm: vein, output: Cp, metric: AUC_tau, value: 500 ng*h/mL, of: testol, cv: 20 %",
    ]
    axes = ("plasma.CL: {start: 8 L/h, bounds: [1 L/h, 100 L/h]}", "plasma.F: {bounds: [0.1, 10]}")
    result = ldn.fit(fit_of(axes, facts))
    assert result.correlation.to_numpy()[0, 1] > 0.95
    assert any("plasma.CL and plasma.F are strongly correlated" in text for text in result.statements)


def test_an_estimate_at_its_bound_scatter_and_idle_data_are_said(fit_of):
    facts = [
        "arm: vein, output: Cp, metric: AUC_inf, value: 100 ng*h/mL, of: testol, cv: 2 %",
        "arm: vein, output: Cp, metric: AUC_inf, value: 250 ng*h/mL, of: testol, cv: 2 %",
        "arm: vein, output: Cp, metric: Cmax, value: 100 ng/mL, of: testol, cv: 2 %",
    ]
    result = ldn.fit(fit_of(["plasma.CL: {start: 8 L/h, bounds: [1 L/h, 20 L/h]}"], facts))
    said = " ".join(result.statements)
    assert bool(result.estimates["at_bound"].iloc[0])
    assert "plasma.CL is at its upper bound" in said
    assert "larger than the errors of the data explain" in said
    assert "No parameter affects d2" in said


# --- what is left to others


def test_the_files_of_a_fit_run_again_with_its_values(fit_of, truth, tmp_path):
    result = ldn.fit(fit_of(ORAL, lab=table(truth(tmp_path) * 1.1), extra="starts: 2\n"))
    out = tmp_path / "out"
    out.mkdir()
    for name, text in fit_files(result).items():
        (out / name).write_text(text)
    assert sorted(path.name for path in out.iterdir()) == [
        *("equilibrium.yaml", "levels.fit.json", "levels.model.yaml", "one_compartment.yaml"),
    ]
    model = ldn.load_model(out / "levels.model.yaml")
    assert "Fitted to 12 data by the fit levels" in model.accounts["levels"].note
    scenario = result.fit.scenario.model_copy(update={"model": model, "accounts": ("levels",)})
    found = ldn.simulate(scenario, times=[0.0, *HOURS], rtol=1e-9)["Cp"].sel(arm="once").squeeze().values[1:]
    assert found * 0.250 == pytest.approx(result.predictions["predicted"].to_numpy(), rel=1e-6)
    assert fitted_model(result).accounts["levels"].values == model.accounts["levels"].values


def test_the_numbers_are_json_that_others_can_draw_from(fit_of, truth, tmp_path):
    facts = ["arm: once, output: Cp, at: drawn, value: 80 ng/mL, of: testol, cv: 5 %"]
    record = fit_of((*ORAL, "drawn: {start: 2 h, bounds: [1 h, 5 h]}"), facts, lab=table(truth(tmp_path)))
    found = json.loads(fit_files(ldn.fit(record))["levels.fit.json"])
    assert found["format"] == "ldnsim-fit-result/1"
    assert found["order"] == list(found["parameters"]) == ["plasma.CL", "plasma.V"]
    assert set(found["parameters"]["plasma.CL"]) == {"value", "low", "high", "at_bound"}
    assert found["parameters"]["plasma.V"]["value"].endswith(" L")
    assert np.shape(found["covariance_log"]) == (2, 2)
    assert list(found["times"]) == ["drawn"]
    assert found["provenance"]["fit_text"] == record.text
    assert len(found["provenance"]["model_hash"]) == 64


def test_what_a_fit_found_can_be_drawn_from_as_what_is_uncertain(tmp_path):
    """The file, as it is written, in a scenario's `uncertainty`: draws spread as the fit's covariance says."""
    found = fitted("naltrexone_oral")
    (tmp_path / "found.fit.json").write_text(fit_files(found)["naltrexone_oral.fit.json"])
    (tmp_path / "q.yaml").write_text(
        "format: ldnsim-scenario/1\nname: q\nquestion: q\nmodel: ldn\naccounts: [pet_pool]\nduration: 24 h\n"
        "arms: {once: {regimen: [{input: oral, dose: 50 mg, at: '00:00', until: day 1}]}}\nreport: [Cp]\n"
        "uncertainty: {draws: 60, fit: found.fit.json}\n"
    )
    levels = ldn.simulate(ldn.load_scenario(tmp_path / "q.yaml"), times=[0.0, 1.0, 2.0])["Cp"].squeeze()
    assert levels.sizes["draw"] == 61
    assert 0.05 < float(np.log(levels[1:, 2]).std()) < 0.6


# --- readings


def test_readings_are_the_metrics_of_the_same_name(fit_of):
    of_one = {"concentration", "blockade"}
    names = [
        name
        for name, metric in all_metrics().items()
        if metric.in_tables and metric.comparison != "clock" and (metric.kinds is None or metric.kinds & of_one)
    ]
    of = {name: "Cp" if all_metrics()[name].is_for(kind_named("concentration")) else "occupancy" for name in names}
    facts = [f"arm: once, output: {of[name]}, metric: {name}, value: 1 {unit(name)}, sd: 1 {unit(name)}" for name in of]
    record = fit_of(ORAL[:1], facts)
    problem = problem_of(record, "native")
    predicted = problem.predictions(problem.start[None])[0][0]
    changed = record.scenario.with_changes({"plasma.CL": "3 L/h"})
    wanted = ldn.summarize(ldn.simulate(changed, rtol=1e-9), window=(0.0, 24.0))
    for name, found in zip(names, predicted, strict=True):
        expected = float(wanted[f"{of[name]}_{name}"].sel(arm="once").squeeze())
        assert found == pytest.approx(expected, rel=2e-3, abs=0.05 if name == "Tmax" else 1e-9)


def unit(metric):
    return all_metrics()[metric].unit_for("nmol/L")


def test_outputs_relative_to_the_drug_free_twin_are_those_of_a_run():
    record = ldn.load_fit("occupancy_pet")
    facts = {
        name: record.facts["rabiner_5_a"].model_copy(update={"output": output, "at": 10.0})
        for name, output in (("tone", "opioid_tone"), ("level", "endorphin"))
    }
    known = {name: estimate for name, estimate in record.estimate.items() if name != "scan"}
    record = record.model_copy(update={"facts": facts, "estimate": known})
    problem = problem_of(record, "native")
    found = problem.predictions(problem.start[None])[0][0] / 100
    start = {"occupancy.EC50": "1 ng/mL", "occupancy.f": 10, "occupancy.t_pool": "40 h"}
    run = ldn.simulate(record.scenario.with_changes(start), times=[0.0, 10.0], rtol=1e-9).sel(arm="mg_5")
    wanted = [float(run[name].squeeze()[1]) for name in ("opioid_tone", "endorphin")]
    assert found.tolist() == pytest.approx(wanted, rel=1e-6)


# --- what cannot be done


def test_a_parameter_that_moves_nothing_of_what_was_measured_is_refused(fit_of):
    fact = "arm: once, output: Cp, at: 0 h, value: 0 ng/mL, of: testol, sd: 1 ng/mL"  # before anything is absorbed
    with pytest.raises(LdnsimError, match=r"plasma.CL moves none of the data"):
        ldn.fit(fit_of(ORAL[:1], [fact]))


def test_starts_that_cannot_be_solved_are_reported(fit_of):
    fact = "arm: once, output: Cp, at: 0 h, value: 1 ng/mL, of: testol, cv: 10 %"
    with pytest.raises(LdnsimError, match="at any of its starts: a datum has no prediction, or one of 0 on the log"):
        ldn.fit(fit_of(ORAL[:1], [fact]))


def test_a_fit_changed_in_python_is_checked_as_a_file_is(fit_of):
    fact = "arm: once, output: Cp, at: 3 h, value: 60 ng/mL, of: testol, cv: 10 %"
    record = fit_of(ORAL[:1], [fact])
    wrong = record.facts["d0"].model_copy(update={"arm": "onec", "at": 99.0})
    with pytest.raises(LdnsimError) as caught:
        ldn.fit(record.model_copy(update={"facts": {"d0": wrong}}))
    assert [fault.message for fault in caught.value.faults] == ["there is no arm 'onec'", "99 h is outside of the run"]


def test_tables_that_were_never_read_are_not_passed_over(fit_of, truth, tmp_path):
    record = fit_of(ORAL, ["arm: once, output: Cp, at: 3 h, value: 60 ng/mL, of: testol, cv: 10 %"] * 2)
    made = Fit.model_validate({**dict(record), "tables": {"lab": {"file": "lab.csv", "cv": "10 %"}}})
    with pytest.raises(LdnsimError, match="the table was not read"):
        ldn.fit(made)


# --- the library's fits


@pytest.mark.parametrize(
    "name", ["naltrexone_oral", "occupancy_pet", "occupancy_pet_slow", "loop_pet_pool", "loop_pet_slow"]
)
def test_the_models_values_lie_within_what_its_data_allow(name):
    result = fitted(name)
    setting = setting_of(result.fit.model, result.fit.account)
    for address, row in result.estimates[~result.estimates["time"]].iterrows():
        assert row["low"] <= setting.values[address].value <= row["high"] * (1 + 1e-9)
    assert result.chi2 < result.degrees_of_freedom + 2 * (2 * result.degrees_of_freedom) ** 0.5 + 1e-9
    assert result.agreeing >= result.tried / 2


@pytest.mark.parametrize("name", ["loop_pet_pool", "loop_pet_slow", "occupancy_pet_slow"])
def test_the_models_values_are_those_of_the_fit(name):
    """One command leads from the facts to the numbers that stand in the model."""
    result = fitted(name)
    setting = setting_of(result.fit.model, result.fit.account)
    for address, row in result.estimates.iterrows():
        assert setting.values[address].value == pytest.approx(row["value"], rel=0.03)


def test_pet_fixes_the_ratio_of_pool_to_plasma_and_not_the_hour_of_the_scans():
    result = fitted("occupancy_pet")
    value = result.estimates["value"]
    assert value["occupancy.f"] / value["occupancy.EC50"] == pytest.approx(14.5, rel=0.1)
    assert value["occupancy.t_pool"] == pytest.approx(26, rel=0.1)
    assert "scan: any value within its bounds fits the data (flat profile)." in result.statements
    assert any("occupancy.EC50 and occupancy.f are strongly correlated" in text for text in result.statements)


def test_plasma_alone_does_not_tell_clearance():
    said = " ".join(ldn.fit("oral_clearance").statements)
    assert "plasma.F, plasma.CL, plasma.V1, plasma.Q2 and plasma.V2 can rise together" in said
    assert "plasma.CL: any value within its bounds fits the data" in said


# --- figures


def test_figures_show_every_datum_once():
    predictions = fitted("occupancy_pet").predictions
    against = ldn.plots.predicted_observed(predictions)
    shown = [text for trace in against.data if trace.mode == "markers" for text in trace.text]
    assert len(shown) == len(predictions) == 11
    apart = ldn.plots.residuals(predictions)
    points = {name: x for trace in apart.data for name, x in zip(trace.text, trace.x, strict=True)}
    assert points["rabiner_15"] == pytest.approx(predictions.loc["rabiner_15", "residual"])
    assert against.layout.template.layout.font.family == apart.layout.template.layout.font.family


def test_a_figure_of_nothing_is_refused():
    with pytest.raises(LdnsimError, match="nothing to draw"):
        ldn.plots.predicted_observed(fitted("occupancy_pet").predictions.iloc[:0])


def test_a_residual_of_next_to_nothing_has_no_sign():
    """It was printed as -0.0."""
    from ldnsim.calibration.fitting.tables import _signed

    assert [_signed(value) for value in (-0.04, 0.0, -0.05001, 1.26)] == ["0.0", "0.0", "-0.1", "+1.3"]
