"""Model discrimination: which observation (output, dose, hour) would best tell the accounts of a model apart.

Over a grid of doses and hours, the difference between accounts is divided by the standard deviation of an observation:
measurement error, between-person variability, and parameter uncertainty (see `parameter_spread`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.calibration.parameter_spread import parameter_spread
from ldnsim.dosing.regimen import DAY, Arm
from ldnsim.foundation.clock import clock_text
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.library.files import load_predictions
from ldnsim.metrics.outputs import over_twin
from ldnsim.model.output_kinds import kind_named
from ldnsim.scenario.population import Population
from ldnsim.scenario.scenario import Scenario
from ldnsim.simulation.simulate import simulate

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ldnsim.library.predictions import Observable, Predictions
    from ldnsim.model.records import Model

__all__ = ["CandidateObservation", "best_hours", "candidate_observations", "discriminate", "frame_of"]

Floats = NDArray[np.float64]

ORAL = "oral"  # the input of the compared doses
DOSES = ("0.5 mg", "1.5 mg", "3 mg", "4.5 mg", "6 mg", "12.5 mg", "25 mg", "50 mg")
DOSING_TIME = 8.0  # h after midnight
DAYS = 14  # of daily doses
HOURS = {"once": (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 120), f"daily for {DAYS} days": (1, 4, 8, 12, 24, 48, 72)}
PEOPLE = 100
RTOL = 1e-4  # relative tolerance: standard deviations need no more


@dataclass(frozen=True)
class CandidateObservation:
    """One possible observation: what is measured, when, and what each account predicts.

    Attributes
    ----------
    output, by : str
        The output, and the measurement that observes it.
    share_of : str
        What the output is a fraction of: receptors, or the drug-free level.
    dose, regimen : str
        The dose as text, and "once" or how often.
    hour : float
        Time of the observation, h after the last dose.
    error : float
        SD of one measurement, as a fraction.
    values, people, parameters : mapping of str to float
        By account, as fractions: the prediction, the SD between people, and the SD from parameter uncertainty.
    separation : float
        Difference of the two accounts that are hardest to tell apart, over the pooled SD.
    pair : tuple of str
        Those two accounts.
    """

    output: str
    share_of: str
    by: str
    dose: str
    regimen: str
    hour: float
    error: float
    values: Mapping[str, float]
    people: Mapping[str, float]
    parameters: Mapping[str, float]
    separation: float
    pair: tuple[str, str]

    def total_sd(self, account: str) -> float:
        """Standard deviation of the prediction: variability between people and parameter uncertainty combined."""
        return math.hypot(self.people[account], self.parameters[account])


def discriminate(model: Model) -> pd.DataFrame:
    """Rank possible observations in people by how well they would discriminate between the accounts of a model.

    The separation of two accounts is the difference of their predictions over the SD of an observation (between-person
    variability, parameter uncertainty and measurement error). The separation of an observation is that of the two
    accounts that are hardest to tell apart.

    Parameters
    ----------
    model : Model
        A model with two accounts or more, and an input `oral`.

    Returns
    -------
    pandas.DataFrame
        One row per observation, best first: `output`, `by` (the measurement), `dose`, `regimen`, `hour` (h after the
        last dose), `separation`, `hardest` (the two accounts); and for each account its prediction (a fraction),
        `<account>_people` and `<account>_parameters` (SD between people, and from parameter uncertainty).

    Raises
    ------
    LdnsimError
        For a model with fewer than two accounts, without an input `oral`, or without an output that can be measured.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> table = ldn.discriminate(ldn.load_model("ldn"))
    >>> table[["output", "dose", "hour", "hardest"]].astype(str).iloc[0].tolist()
    ['mu_occupancy', '50 mg', '72', 'pet_pool and pet_slow']
    """
    return frame_of(candidate_observations(model))


def frame_of(observations: Sequence[CandidateObservation]) -> pd.DataFrame:
    """Return observations as a data frame, one row each; its columns are described in `discriminate`."""
    import pandas as pd

    records = []
    for observation in observations:
        record: dict[str, object] = {
            "output": observation.output,
            "by": observation.by,
            "dose": observation.dose,
            "regimen": observation.regimen,
            "hour": observation.hour,
            "separation": observation.separation,
            "hardest": " and ".join(observation.pair),
        }
        for account, value in observation.values.items():
            record |= {
                account: value,
                f"{account}_people": observation.people[account],
                f"{account}_parameters": observation.parameters[account],
            }
        records.append(record)
    return pd.DataFrame(records)


def candidate_observations(model: Model, predictions: Predictions | None = None) -> list[CandidateObservation]:
    """Evaluate every observation of the grid of outputs, doses, regimens and hours.

    Parameters
    ----------
    model : Model
        A model with two accounts or more, and an input `oral`.
    predictions : Predictions, optional
        Says which outputs can be measured, and with what error. The library's by default.

    Returns
    -------
    list of CandidateObservation
        By descending separation.

    Raises
    ------
    LdnsimError
        For a model with fewer than two accounts, without an input `oral`, or without an output that can be measured.
    """
    predictions = load_predictions() if predictions is None else predictions
    outputs = {name: observable for name, observable in predictions.measurable.items() if name in model.outputs}
    if len(model.accounts) < 2:
        raise LdnsimError("The model has fewer than two accounts: expected two or more to compare.")
    faults = []
    if ORAL not in model.inputs:
        expected = f"an input {ORAL}; the model has {', '.join(model.inputs)}"
        faults.append(Fault(f"the model has no input {ORAL!r}, which the compared doses use", ("inputs",), expected))
    if not outputs:
        expected = f"one of: {', '.join(predictions.measurable)}"
        faults.append(Fault("the model has no output that can be measured in people", ("outputs",), expected))
    if faults:
        raise LdnsimError(faults)
    found = [
        observation
        for regimen, after in HOURS.items()
        for observation in _of_regimen(model, predictions, outputs, regimen, after)
    ]
    return sorted(found, key=lambda observation: -observation.separation)


def best_hours(observations: Sequence[CandidateObservation]) -> list[CandidateObservation]:
    """Select the best hour of each output, dose and regimen.

    Parameters
    ----------
    observations : sequence of CandidateObservation
        By descending separation, as returned by `candidate_observations`.

    Returns
    -------
    list of CandidateObservation
        One for each output, dose and regimen, by descending separation.
    """
    found: dict[tuple[str, str, str], CandidateObservation] = {}
    for observation in observations:
        found.setdefault((observation.output, observation.dose, observation.regimen), observation)
    return list(found.values())


def _of_regimen(
    model: Model, predictions: Predictions, outputs: Mapping[str, Observable], regimen: str, after: tuple[int, ...]
) -> Iterator[CandidateObservation]:
    last = 1 if regimen == "once" else DAYS
    start = (last - 1) * DAY + DOSING_TIME
    typical_person = _scenario(model, tuple(outputs), last, start + max(after))
    times = [start + hour for hour in after]

    def measure(scenario: Scenario) -> dict[str, Floats]:
        result = simulate(scenario, times=times, rtol=RTOL)
        return {name: _measured(result, name) for name in outputs}

    typical = measure(typical_person)
    population = typical_person.model_copy(update={"population": Population(size=PEOPLE)})
    between_people = {name: np.nanstd(values, axis=2) for name, values in measure(population).items()}
    from_parameters = parameter_spread(typical_person, measure, predictions)
    accounts = list(model.accounts)
    for name, observable in outputs.items():
        for d, dose in enumerate(DOSES):
            for h, hour in enumerate(after):
                here = (slice(None), d, h)
                values, people, parameters = (found[name][here] for found in (typical, between_people, from_parameters))
                best, pair = _hardest(values, people**2 + parameters**2, observable.error)
                by_account = [dict(zip(accounts, map(float, row), strict=True)) for row in (values, people, parameters)]
                yield CandidateObservation(
                    output=name,
                    share_of=_share_of(model, name),
                    by=observable.by,
                    dose=dose,
                    regimen=regimen,
                    hour=hour,
                    error=observable.error,
                    values=by_account[0],
                    people=by_account[1],
                    parameters=by_account[2],
                    separation=float(best),
                    pair=(accounts[pair[0]], accounts[pair[1]]),
                )


def _share_of(model: Model, output: str) -> str:
    """What a measured output is a fraction of."""
    return "receptors" if kind_named(model.outputs[output].kind).is_share else "the drug-free level"


def _scenario(model: Model, outputs: tuple[str, ...], last: int, end: float) -> Scenario:
    """An arm for each dose, taken daily until the day `last`, simulated until `end` (h)."""
    line = {"input": ORAL, "at": clock_text(DOSING_TIME), "until": last}
    arms = {f"dose_{d}": Arm.model_validate({"regimen": [{**line, "dose": dose}]}) for d, dose in enumerate(DOSES)}
    return Scenario.model_validate(
        {
            "format": "ldnsim-scenario/1",
            "name": "discriminate",
            "question": "Which observation would discriminate best between the accounts?",
            "model": model,
            "duration": f"{end + 1:g} h",
            "arms": arms,
            "report": outputs,
        }
    )


def _measured(result: xr.Dataset, name: str) -> Floats:
    """What would be measured, dims (account, arm, [subject,] time): endogenous outputs relative to no drug."""
    data = over_twin(result, name)
    order = [dim for dim in ("account", "arm", "subject", "time") if dim in data.dims]
    return np.asarray(data.transpose(*order).to_numpy())


def _hardest(values: Floats, variances: Floats, error: float) -> tuple[float, tuple[int, int]]:
    """The smallest separation of any two accounts, and which two."""
    found = [
        (abs(values[a] - values[b]) / np.sqrt((variances[a] + variances[b]) / 2 + error**2), (a, b))
        for a, b in combinations(range(len(values)), 2)
    ]
    return min(found)
