"""Virtual trials: the power to tell two arms apart, given an account and an assumed response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ldnsim.dosing.regimen import Arm
from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest
from ldnsim.foundation.random_streams import generator
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.foundation.units import coherent
from ldnsim.scenario.changes import resolve
from ldnsim.scenario.design import Design
from ldnsim.studies.request import metric_faults, typical_table
from ldnsim.studies.trial_records import PLACEBO, Trial
from ldnsim.sweeps.sweep import sweep

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["virtual_trial"]

Floats = NDArray[np.float64]
MAX_SCORES = 2 * 10**7  # people of the largest size x replicates
NOTE = (
    "The response is an assumption of whoever asks, not fitted to any trial: this says what a trial could tell if it "
    "were so, and nothing of whether the drug helps."
)


class _Group(NamedTuple):
    """The participants of each replicate, shape (replicates, people)."""

    picks: Floats  # index in the bank, as a share of its size
    stays: NDArray[np.bool_]  # whether the person completes
    z: Floats  # (replicates, people, 5): slope, placebo, course, noise in the drug's arm, noise in the control


def virtual_trial(scenario: Scenario, trial: Trial | Mapping[str, Any]) -> pd.DataFrame:
    """Power of a trial of two arms by simulation, per account and size.

    The population of the scenario is simulated once, in both arms. Each replicate draws its patients from it with
    replacement, and their responses and noise from `seed`; the first n patients of a replicate are the same for all
    sizes and accounts. Without a population all patients are one typical person. The response is an assumption, so
    that all results are hypotheses; `attrs["note"]` says so.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    trial : Trial or mapping
        Arms, response, sizes and test; see `Trial` for the fields.

    Returns
    -------
    pandas.DataFrame
        One row per account and size: `assumption` (the account), `people` per arm, `power` (share of replicates with
        p < alpha, in either direction) with its 95 % Wilson interval `low` and `high`; expected `difference` and `sd`
        of the score (of within-pair differences if paired); expected scores `drug` and `control`; `replicates`;
        `untested` (replicates with too few completers or no variation; they count as failures); `bank` and `left_out`
        (numbers of simulated people with and without the metric in both arms); `evidence`. It is the table of
        `plots.virtual_trial`.

    Raises
    ------
    LdnsimError
        With all faults of the trial at once, before the population is simulated.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> trial = {
    ...     "drug": "night",
    ...     "response": {"metric": "opioid_tone_mean", "slope": 10.0, "noise_sd": 6.0},
    ...     "people": [10, 40],
    ...     "replicates": 200,
    ... }
    >>> table = ldn.virtual_trial(ldn.load_scenario("night_vs_morning"), trial)
    >>> print(table[["assumption", "people", "power"]].to_string(index=False))
    assumption  people  power
     transient      10  0.030
     transient      40  0.040
      pet_pool      10  0.405
      pet_pool      40  0.975
    """
    import pandas as pd
    from scipy.stats import binomtest  # imported late: it costs a second

    checked, question, small = _checked(scenario, trial)
    table = sweep(question, progress=False) if resolve(question).population else small
    groups = _groups(checked, max(checked.people))
    response = checked.response
    records = []
    for account in map(str, table.account.values):
        values, left_out = _bank(table, account, checked)
        scores = _scores(checked, values, groups)
        for size in checked.people:
            p = _p_values(checked, scores, groups, size)
            won = int(np.sum(p < checked.alpha))
            ends = binomtest(won, checked.replicates).proportion_ci(method="wilson")
            drug, control = response.slope * values.mean(axis=1) + response.placebo + response.course
            records.append(
                {
                    "assumption": account, "people": size, "power": won / checked.replicates, "low": float(ends.low),
                    "high": float(ends.high), "difference": drug - control, "sd": _sd(checked, values), "drug": drug,
                    "control": control, "replicates": checked.replicates, "untested": int(np.isnan(p).sum()),
                    "bank": values.shape[1], "left_out": left_out, "evidence": "hypothesis",
                }
            )  # fmt: skip
    frame = pd.DataFrame(records)
    frame.attrs = {
        "scenario": scenario.name, "evidence": "hypothesis", "note": NOTE,
        "trial": {**checked.model_dump(exclude={"dropout"}), "dropout": coherent(checked.dropout)},
        "metric_unit": table[response.metric].attrs["units"],
    }  # fmt: skip
    return frame


def _checked(scenario: Scenario, trial: Trial | Mapping[str, Any]) -> tuple[Trial, Scenario, xr.Dataset]:
    """The trial, the scenario with all arms that it needs, and metrics of a typical person in them."""
    given = dict(trial) if isinstance(trial, Trial | Mapping) else {}
    faults: list[Fault] = []
    try:
        checked = Trial.model_validate(given)
    except ValidationError as caught:
        faults += faults_of(caught)
    drug, control = given.get("drug"), given.get("control", PLACEBO)
    known = [*scenario.arms, *({PLACEBO} - scenario.arms.keys())]
    arms = {"drug": drug, "control": control}
    unknown = {key: arm for key, arm in arms.items() if isinstance(arm, str) and arm not in known}
    for key, arm in unknown.items():
        faults.append(Fault(f"no arm is called {arm!r}", (key,), listed(known), nearest(arm[:60], known)))
    if isinstance(drug, str) and drug == control:
        faults.append(Fault(f"{drug!r} is both drug and control", ("control",), f"another arm, or {PLACEBO}"))
    if drug == PLACEBO and PLACEBO not in scenario.arms:
        faults.append(Fault(f"no arm is called {drug!r}", ("drug",), listed(scenario.arms)))
    question = scenario.model_copy(update={"sweep": {}, "design": Design(), "uncertainty": None})
    if control == PLACEBO and PLACEBO not in scenario.arms and isinstance(drug, str) and drug in scenario.arms:
        question = question.model_copy(update={"arms": {**scenario.arms, PLACEBO: _without_drug(scenario.arms[drug])}})
    small = typical_table(question)
    response = given.get("response")
    metric = response.get("metric") if isinstance(response, Mapping) else getattr(response, "metric", None)
    if isinstance(metric, str):
        faults += (
            Fault(f.message, ("response", "metric"), f.expected, f.nearest) for f in metric_faults(small, [metric])
        )
    if not faults:
        faults += _limit_faults(checked)
    if faults:
        raise LdnsimError(faults)
    return checked, question, small


def _limit_faults(trial: Trial) -> list[Fault]:
    faults = []
    if coherent(trial.dropout) >= 1:
        faults.append(Fault("a dropout of 100 %", ("dropout",), "less than 100 %"))
    if max(trial.people) * trial.replicates > MAX_SCORES:
        message = f"{trial.replicates:,} replicates of {max(trial.people):,} people"
        faults.append(Fault(message, ("replicates",), f"at most {MAX_SCORES:,} people in all"))
    return faults


def _without_drug(arm: Arm) -> Arm:
    line = {"input": arm.regimen[0].input, "dose": "0 mg", "at": "08:00"}
    return Arm.model_validate({"title": "placebo", "regimen": [line]})


def _bank(table: xr.Dataset, account: str, trial: Trial) -> tuple[Floats, int]:
    """The metric (2, people) of people who have it in both arms, and the number of all others."""
    data = table[trial.response.metric].sel(account=account)
    values = np.array([np.atleast_1d(data.sel(arm=arm).to_numpy()) for arm in (trial.drug, trial.control)])
    usable = np.isfinite(values).all(axis=0)
    if not usable.any():
        name = f"{trial.response.metric}_reason"
        texts = table[name if name in table else "reason"].sel(account=account, arm=[trial.drug, trial.control])
        why = next((str(text) for text in texts.to_numpy().ravel() if text), "not solved")
        message = f"no person has {trial.response.metric} in both arms of {account}: {why}"
        raise LdnsimError(Fault(message, ("response", "metric"), "a metric that always exists, such as a mean"))
    return values[:, usable], int((~usable).sum())


def _groups(trial: Trial, most: int) -> list[_Group]:
    """The groups of drug and control; the same people in both if the trial is paired."""
    names = ("both",) if trial.design == "paired" else ("drug", "control")
    groups = []
    for name in names:
        streams = range(1, trial.replicates + 1)
        # row by row, so that the first people do not depend on the largest size
        shares = np.array([generator(trial.seed, f"trial.who.{name}", r).random((most, 2)) for r in streams])
        z = np.array([generator(trial.seed, f"trial.score.{name}", r).standard_normal((most, 5)) for r in streams])
        groups.append(_Group(shares[..., 0], shares[..., 1] >= coherent(trial.dropout), z))
    return groups * (3 - len(names))


def _scores(trial: Trial, values: Floats, groups: list[_Group]) -> list[Floats]:
    """Scores (replicates, people) under drug and under control."""
    response, found = trial.response, []
    for arm, group in enumerate(groups):
        metric = values[arm][(group.picks * values.shape[1]).astype(int)]
        slope = response.slope + response.slope_sd * group.z[..., 0]
        placebo = response.placebo + response.placebo_sd * group.z[..., 1]
        course = response.course + response.course_sd * group.z[..., 2]
        found.append(slope * metric + placebo + course + response.noise_sd * group.z[..., 3 + arm])
    return found


def _sd(trial: Trial, values: Floats) -> float:
    """SD of within-pair differences if paired, else of scores (root mean square over both arms)."""
    response = trial.response

    def of_drug(metric: Floats) -> float:
        return float(response.slope**2 * np.var(metric) + response.slope_sd**2 * np.mean(metric**2))

    if trial.design == "paired":
        return float(np.sqrt(of_drug(values[0] - values[1]) + 2 * response.noise_sd**2))
    rest = response.placebo_sd**2 + response.course_sd**2 + response.noise_sd**2
    return float(np.sqrt((of_drug(values[0]) + of_drug(values[1])) / 2 + rest))


def _p_values(trial: Trial, scores: list[Floats], groups: list[_Group], size: int) -> Floats:
    """p value of each replicate for the first `size` people of each group; NaN if too few complete."""
    drug, control = (np.where(group.stays, own, np.nan)[:, :size] for own, group in zip(scores, groups, strict=True))
    if trial.test == "wilcoxon":
        return np.array([_rank_test(trial, *pair) for pair in zip(drug, control, strict=True)])
    return _t_tests(drug - control, None) if trial.design == "paired" else _t_tests(drug, control)


def _t_tests(first: Floats, second: Floats | None) -> Floats:
    """p values of differences against 0, or of two groups by Welch's test; rows are replicates, NaN is missing."""
    from scipy.stats import t

    count, mean, square = _moments(first)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance, degrees = square / count, count - 1
        if second is not None:
            other, other_mean, other_square = _moments(second)
            extra = other_square / other
            degrees = (variance + extra) ** 2 / (variance**2 / (count - 1) + extra**2 / (other - 1))
            mean, variance = mean - other_mean, variance + extra
        return np.asarray(2 * t.sf(np.abs(mean) / np.sqrt(variance), degrees))


def _moments(values: Floats) -> tuple[Floats, Floats, Floats]:
    """(count, mean, variance) of each row without NaN; the variance of fewer than two values is NaN."""
    there = np.isfinite(values)
    count = there.sum(axis=1).astype(float)
    filled = np.where(there, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=1) / count
        spread = np.where(there, values - mean[:, None], 0.0)
        return count, mean, (spread**2).sum(axis=1) / np.where(count > 1, count - 1, np.nan)


def _rank_test(trial: Trial, drug: Floats, control: Floats) -> float:
    from scipy.stats import mannwhitneyu, wilcoxon

    if trial.design == "paired":
        differences = (drug - control)[np.isfinite(drug - control)]
        return float(wilcoxon(differences).pvalue) if len(differences) > 1 and differences.any() else np.nan
    drug, control = drug[np.isfinite(drug)], control[np.isfinite(control)]
    return float(mannwhitneyu(drug, control).pvalue) if min(len(drug), len(control)) > 1 else np.nan
