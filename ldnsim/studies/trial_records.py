"""The records of a virtual trial: its arms, sizes and test, and the assumed response."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ldnsim.foundation.fields import Record, Share, Whole, at_most

__all__ = ["PLACEBO", "Response", "Trial"]

PLACEBO = "placebo"  # the drug's arm without drug, where the scenario has no arm of this name
MAX_SIZES = 100
FiniteNumber = Annotated[float, Field(allow_inf_nan=False)]
Sd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Response(Record):
    """The score of a patient at the end of a period, as an assumption.

    score = `slope` * metric + `placebo` + `course` + noise, where each term varies normally and independently.

    Attributes
    ----------
    metric : str
        Name of a metric of `summarize`.
    slope, slope_sd : float
        Mean and between-patient SD of the score per unit of the metric (in the metric's own unit).
    placebo, placebo_sd : float
        Mean and between-patient SD of the placebo response, in both arms, in units of the score.
    course, course_sd : float
        Mean and between-patient SD of the natural course, in both arms, in units of the score.
    noise_sd : float
        SD of one measurement, in units of the score.

    Examples
    --------
    >>> from ldnsim.studies import Response
    >>> Response(metric="opioid_tone_mean", slope=10.0, noise_sd=2.0).placebo
    0.0
    """

    metric: str
    slope: FiniteNumber
    slope_sd: Sd = 0.0
    placebo: FiniteNumber = 0.0
    placebo_sd: Sd = 0.0
    course: FiniteNumber = 0.0
    course_sd: Sd = 0.0
    noise_sd: Sd


class Trial(Record):
    """A trial of two arms.

    Attributes
    ----------
    drug : str
        Name of an arm of the scenario.
    control : str
        Name of an arm of the scenario, or "placebo": the drug's arm without drug.
    response : Response
        The assumed response.
    people : tuple of int
        Sizes to try, in people per arm (if paired, people who take both arms).
    design : {"parallel", "paired"}
        Independent groups, or both arms in everybody.
    dropout : str or float
        Share of people whose score is missing, independent of the score; completers are analysed.
    alpha : float
        Two-sided significance level.
    test : {"t", "wilcoxon"}
        Parallel: Welch's t-test or the Mann-Whitney test. Paired: the t-test or the Wilcoxon signed-rank test of the
        differences.
    replicates, seed : int
        Number of simulated trials, and the seed of their draws.

    Examples
    --------
    >>> from ldnsim.studies import Trial
    >>> trial = Trial(drug="night", response={"metric": "opioid_tone_mean", "slope": 10.0, "noise_sd": 2.0}, people=20)
    >>> trial.people, trial.control
    ((20,), 'placebo')
    """

    drug: str
    control: str = PLACEBO
    response: Response
    people: Annotated[
        tuple[Annotated[Whole, Field(ge=2, le=100_000)], ...],
        Field(min_length=1),
        at_most(MAX_SIZES),
        BeforeValidator(lambda found: (found,) if isinstance(found, int) else found),
    ]
    design: Literal["parallel", "paired"] = "parallel"
    dropout: Share = Field(default="0 %", validate_default=True)
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    test: Literal["t", "wilcoxon"] = "t"
    replicates: Annotated[Whole, Field(ge=50, le=1_000_000)] = 1_000
    seed: Annotated[Whole, Field(ge=0, le=10**18)] = 1
