"""Virtual trials, held against power that is known; faulty ones are told whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.studies import Trial
from ldnsim.studies.trials import _t_tests

WAVES = Path(__file__).parent / "models/waves.yaml"
DOSE = '{input: oral, dose: 1 mg, at: "08:00"}'
TWICE = '{input: oral, dose: 2 mg, at: "08:00"}'
REPLICATES = 2_000


@pytest.fixture
def question(ask):
    return ask("1 d", model=str(WAVES), low=DOSE, high=TWICE)


def trial(**other):
    response = {"metric": "load_mean", "slope": 1.0, "noise_sd": 1.0, **other.pop("response", {})}
    return {
        "drug": "high",
        "control": "low",
        "people": [10, 40],
        "replicates": REPLICATES,
        "response": response,
        **other,
    }


def difference(question, one="high", other="low"):
    means = ldn.summarize(ldn.simulate(question)).load_mean.isel(account=0)
    return float(means.sel(arm=one) - means.sel(arm=other))


def power_of_t(effect, degrees, alpha=0.05):
    """Of a two-sided t-test; `effect` in standard errors."""
    edge = stats.t.isf(alpha / 2, degrees)
    return stats.nct.sf(edge, degrees, effect) + stats.nct.cdf(-edge, degrees, effect)


def within_chance(found, expected, replicates=REPLICATES):
    """Within 4 standard errors: once in 16,000."""
    return abs(found - expected) < 4 * np.sqrt(max(expected * (1 - expected), 1e-3) / replicates)


def test_power_of_two_groups_is_that_of_the_books(question):
    sd = np.hypot(np.hypot(3, 4), 12)
    slope = 0.8 * sd / difference(question)
    table = ldn.virtual_trial(
        question, trial(response={"slope": slope, "noise_sd": 3, "placebo_sd": 4, "course_sd": 12, "placebo": -9})
    )
    for row in table.itertuples():
        known = power_of_t(0.8 * np.sqrt(row.people / 2), 2 * row.people - 2)
        assert within_chance(row.power, known)
        assert row.low < row.power < row.high
        assert row.difference / row.sd == pytest.approx(0.8)
    ends = stats.binomtest(round(table.power[0] * REPLICATES), REPLICATES).proportion_ci(method="wilson")
    assert (table.low[0], table.high[0]) == (ends.low, ends.high)


def test_power_in_pairs_knows_nothing_of_what_both_arms_share(question):
    slope = 0.5 * np.sqrt(2) * 3 / difference(question)
    asked = trial(design="paired", people=[12, 30], response={"slope": slope, "noise_sd": 3, "placebo_sd": 40})
    table = ldn.virtual_trial(question, asked)
    assert table.people.tolist() == [12, 30]
    for row in table.itertuples():
        assert within_chance(row.power, power_of_t(0.5 * np.sqrt(row.people), row.people - 1))
        assert row.sd == pytest.approx(3 * np.sqrt(2))


def test_p_values_are_those_of_scipy():
    stream = np.random.default_rng(3)
    first, second = stream.normal(0.4, 1, (6, 9)), stream.normal(0, 3, (6, 9))
    first[stream.random(first.shape) < 0.3] = np.nan
    welch = [
        stats.ttest_ind(a, b, equal_var=False, nan_policy="omit").pvalue for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(_t_tests(first, second), welch, rtol=1e-10)
    pairs = [stats.ttest_1samp(row, 0, nan_policy="omit").pvalue for row in first]
    np.testing.assert_allclose(_t_tests(first, None), pairs, rtol=1e-10)


@pytest.mark.parametrize("design", ["parallel", "paired"])
@pytest.mark.parametrize("test", ["t", "wilcoxon"])
def test_without_a_drug_term_alpha_is_what_is_won(question, design, test):
    replicates = 2_000 if test == "t" else 400
    asked = trial(design=design, test=test, people=25, alpha=0.1, replicates=replicates, response={"slope": 0})
    row = ldn.virtual_trial(question, asked).iloc[0]
    assert within_chance(row.power, 0.1, replicates)
    assert row.difference == 0


def test_ranks_tell_nearly_as_much(question):
    asked = trial(people=40, replicates=300, response={"slope": 0.8 / difference(question)})
    by_t, by_ranks = (ldn.virtual_trial(question, {**asked, "test": test}).power[0] for test in ("t", "wilcoxon"))
    assert by_ranks == pytest.approx(by_t, abs=0.06)
    assert by_ranks != by_t
    paired = ldn.virtual_trial(question, {**asked, "design": "paired", "test": "wilcoxon", "people": 25}).power[0]
    assert paired == pytest.approx(power_of_t(0.8 / np.sqrt(2) * 5, 24), abs=0.12)


def test_dropout_costs_people(question):
    slope = 0.6 / difference(question)
    full, half = (
        ldn.virtual_trial(question, trial(people=[40, 80], dropout=share, response={"slope": slope}))
        for share in ("0 %", "50 %")
    )
    assert half.power[1] == pytest.approx(full.power[0], abs=0.06)
    assert half.power[0] < full.power[0] - 0.1
    tiny = ldn.virtual_trial(question, trial(people=2, dropout=0.9))
    assert tiny.untested[0] > 0.8 * REPLICATES
    assert tiny.power[0] <= 1 - tiny.untested[0] / REPLICATES


def test_a_placebo_is_the_arm_without_drug(question):
    table = ldn.virtual_trial(question, trial(drug="low", control="placebo", response={"placebo": 5, "course": -1}))
    nothing = ldn.summarize(ldn.simulate(question.with_changes({"high.dose": "0 mg"}))).load_mean.sel(arm="high").item()
    assert nothing == pytest.approx(0, abs=1e-9)
    assert table.control[0] == pytest.approx(4)
    metric = ldn.summarize(ldn.simulate(question)).load_mean.sel(arm="low").item()
    assert table.drug[0] == pytest.approx(4 + metric)


def test_people_differ_as_the_population_does(question):
    crowd = question.with_changes({"population.size": 60})
    table = ldn.virtual_trial(crowd, trial(response={"noise_sd": 0.5, "slope_sd": 0.3}))
    people = ldn.summarize(ldn.simulate(crowd)).load_mean.isel(account=0)
    high, low = (people.sel(arm=arm).to_numpy() for arm in ("high", "low"))
    assert table.bank.tolist() == [60, 60]
    assert table.left_out.tolist() == [0, 0]
    assert table.difference[0] == pytest.approx((high - low).mean())
    own = [np.var(metric) + 0.3**2 * np.mean(metric**2) for metric in (high, low)]
    assert table.sd[0] == pytest.approx(np.sqrt(np.mean(own) + 0.25))
    in_pairs = ldn.virtual_trial(crowd, trial(design="paired", response={"noise_sd": 0.5, "slope_sd": 0.3}))
    change = high - low
    assert in_pairs.sd[0] == pytest.approx(np.sqrt(np.var(change) + 0.3**2 * np.mean(change**2) + 0.5))


def test_those_without_the_metric_are_left_out_and_counted(question):
    crowd = question.model_validate(
        {
            **dict(question),
            "population": {"size": 80, "covariates": {"part.x0": {"uniform": ["-1", "3"]}}},
        }
    )
    table = ldn.virtual_trial(crowd, trial(response={"metric": "root_mean"}, replicates=50))
    unsolved = int((ldn.simulate(crowd).status.sel(arm="low") != 0).sum())
    assert 0 < unsolved < 80
    assert (table.left_out[0], table.bank[0]) == (unsolved, 80 - unsolved)
    nobody = question.with_changes({"part.x0": -1})
    with pytest.raises(LdnsimError, match=r"no person has root_mean in both arms of waves: .*not finite"):
        ldn.virtual_trial(nobody, trial(response={"metric": "root_mean"}))


def test_a_seed_says_it_all_and_sizes_share_their_first_people(question):
    asked = trial(people=[8, 16], replicates=200, response={"slope": 0.01})
    first = ldn.virtual_trial(question, asked)
    pd.testing.assert_frame_equal(first, ldn.virtual_trial(question, Trial.model_validate(asked)), check_exact=True)
    alone = ldn.virtual_trial(question, {**asked, "people": 8})
    pd.testing.assert_frame_equal(first.iloc[:1], alone, check_exact=True)
    assert ldn.virtual_trial(question, {**asked, "seed": 2}).power.tolist() != first.power.tolist()


def test_every_account_is_an_assumption_and_all_is_a_hypothesis(ask):
    night = '{input: oral, dose: 4.5 mg, at: "22:00"}'
    scenario = ask("3 d", "[transient, pet_pool]", night=night)
    response = {"metric": "opioid_tone_mean", "slope": -10, "noise_sd": 4}
    table = ldn.virtual_trial(scenario, {"drug": "night", "response": response, "people": [10, 30], "replicates": 200})
    assert table.assumption.tolist() == ["transient"] * 2 + ["pet_pool"] * 2
    assert set(table.evidence) == {"hypothesis"} == {table.attrs["evidence"]}
    assert "not fitted to any trial" in table.attrs["note"]
    assert table.power[3] > table.power[1]
    lines = [trace for trace in ldn.plots.virtual_trial(table).data if trace.mode == "lines+markers"]
    assert [line.name for line in lines] == ["transient", "pet_pool"]
    assert list(lines[1].y) == table.power[2:].tolist()


def test_all_that_is_wrong_with_a_trial_is_told_at_once(question):
    with pytest.raises(LdnsimError) as caught:
        ldn.virtual_trial(
            question,
            {
                "drug": "hihg", "control": "lwo", "people": [1, 20], "dropout": "120 %", "alpha": 0, "test": "tt",
                "response": {"metric": "load_meen", "slope": 1, "noise_sd": -2, "placebo_sd": float("nan")},
                "replicates": 1, "design": "pared", "sample": 3,
            },
        )  # fmt: skip
    text = str(caught.value)
    for said in (
        "did you mean 'high'", "did you mean 'low'", "people.0", "dropout", "alpha", "'tt'", "did you mean 'load_mean'",
        "response.noise_sd", "response.placebo_sd", "replicates", "did you mean 'paired'", "unknown key 'sample'",
    ):  # fmt: skip
        assert said in text


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"dropout": "100 %"}, "a dropout of 100 %"),
        ({"control": "high", "design": "paired"}, "'high' is both drug and control"),
        ({"drug": "placebo"}, "no arm is called 'placebo'"),
        ({"people": []}, "people"),
        ({"people": [100_000], "replicates": 1_000}, "replicates of 100,000 people"),
        ({"response": {"metric": "load_time_of_peak"}}, "clock time"),
        ({"drug": ["high"]}, "drug: a list is not text"),
    ],
)
def test_trials_that_cannot_be(question, other, message):
    with pytest.raises(LdnsimError, match=message):
        ldn.virtual_trial(question, trial(**other))


@pytest.mark.parametrize("nothing", [None, {}, 5])
def test_a_trial_of_nothing(question, nothing):
    with pytest.raises(LdnsimError, match="'drug' is missing"):
        ldn.virtual_trial(question, nothing)
