"""Which observation would best tell accounts apart: an output, at an hour after a dose.

Over a grid of doses and hours, the difference between accounts is set against what blurs it: the error of a
measurement, the spread between people, and how uncertain the parameters are (see `uncertain`).
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

__all__ = ["Sight", "apart", "best_of_each", "frame_of", "sights"]

Floats = NDArray[np.float64]

ORAL = "oral"  # the input that takes the compared doses
DOSES = ("0.5 mg", "1.5 mg", "3 mg", "4.5 mg", "6 mg", "12.5 mg", "25 mg", "50 mg")
CLOCK = 8.0  # h, when doses are taken
DAYS = 14  # of repeated doses
HOURS = {"once": (1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 120), f"daily for {DAYS} days": (1, 4, 8, 12, 24, 48, 72)}
PEOPLE = 100
ROUGH = 1e-4  # relative tolerance: spreads need no more


@dataclass(frozen=True)
class Sight:
    """One observation: what is measured, when, and what each account would have it be.

    `share_of` is what the output is a share of. `values`, `people` and `parameters` are by account, as shares: the
    prediction, the standard deviation between people, and that from uncertain parameters. `separation` is the
    difference of the two accounts that are hardest to tell apart over the pooled standard deviation, `pair` those two.
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

    def blur(self, account: str) -> float:
        """Standard deviation between people and from uncertain parameters, together."""
        return math.hypot(self.people[account], self.parameters[account])


def apart(model: Model) -> pd.DataFrame:
    """Rank observations in people by how well they would tell the accounts of a model apart.

    The separation of two accounts is the difference of their values over the SD from people, uncertain parameters and
    measurement error. The separation of an observation is that of the two accounts that are hardest to tell apart.

    Parameters
    ----------
    model : Model
        A model with two accounts or more, and an input `oral`.

    Returns
    -------
    pandas.DataFrame
        One row per observation, best first: `output`, `by` (the measurement), `dose`, `regimen`, `hour` (h after the
        last dose), `separation`, `hardest` (the two accounts); and for each account its value, `<account>_people` and
        `<account>_parameters` (SD between people and from uncertain parameters).

    Raises
    ------
    LdnsimError
        For a model with fewer than two accounts, without an input `oral`, or without an output that can be measured.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> table = ldn.apart(ldn.load_model("ldn"))
    >>> table[["output", "dose", "hour", "hardest"]].astype(str).iloc[0].tolist()
    ['mu_occupancy', '50 mg', '72', 'pet_pool and pet_slow']
    """
    return frame_of(sights(model))


def frame_of(sights: Sequence[Sight]) -> pd.DataFrame:
    """Observations as a data frame; see `apart`."""
    import pandas as pd

    records = []
    for sight in sights:
        record: dict[str, object] = {
            "output": sight.output, "by": sight.by, "dose": sight.dose, "regimen": sight.regimen,
            "hour": sight.hour, "separation": sight.separation, "hardest": " and ".join(sight.pair),
        }  # fmt: skip
        for account, value in sight.values.items():
            record |= {
                account: value,
                f"{account}_people": sight.people[account],
                f"{account}_parameters": sight.parameters[account],
            }
        records.append(record)
    return pd.DataFrame(records)


def sights(model: Model, predictions: Predictions | None = None) -> list[Sight]:
    """Every observation of the grid, the one that separates best first."""
    predictions = load_predictions() if predictions is None else predictions
    outputs = {name: how for name, how in predictions.measurable.items() if name in model.outputs}
    if len(model.accounts) < 2:
        raise LdnsimError("There is nothing to tell apart: expected a model with two accounts or more.")
    faults = []
    if ORAL not in model.inputs:
        expected = f"an input {ORAL}; the model has {', '.join(model.inputs)}"
        faults.append(
            Fault(f"the model has no input {ORAL!r}, by which the compared doses are given", ("inputs",), expected)
        )
    if not outputs:
        expected = f"one of: {', '.join(predictions.measurable)}"
        faults.append(Fault("the model has no output that can be measured in people", ("outputs",), expected))
    if faults:
        raise LdnsimError(faults)
    found = [
        sight for regimen, after in HOURS.items() for sight in _of_regimen(model, predictions, outputs, regimen, after)
    ]
    return sorted(found, key=lambda sight: -sight.separation)


def best_of_each(sights: Sequence[Sight]) -> list[Sight]:
    """The best hour of each output, dose and regimen, best first."""
    found: dict[tuple[str, str, str], Sight] = {}
    for sight in sights:
        found.setdefault((sight.output, sight.dose, sight.regimen), sight)
    return list(found.values())


def _of_regimen(
    model: Model, predictions: Predictions, outputs: Mapping[str, Observable], regimen: str, after: tuple[int, ...]
) -> Iterator[Sight]:
    last = 1 if regimen == "once" else DAYS
    start = (last - 1) * DAY + CLOCK
    question = _question(model, tuple(outputs), last, start + max(after))
    times = [start + hour for hour in after]

    def seen(asked: Scenario) -> dict[str, Floats]:
        result = simulate(asked, times=times, rtol=ROUGH)
        return {name: _looked_at(result, name) for name in outputs}

    plain = seen(question)
    crowd = question.model_copy(update={"population": Population(size=PEOPLE)})
    persons = {name: np.nanstd(values, axis=2) for name, values in seen(crowd).items()}
    spread = parameter_spread(question, seen, predictions)
    accounts = list(model.accounts)
    for name, how in outputs.items():
        for d, dose in enumerate(DOSES):
            for h, hour in enumerate(after):
                here = (slice(None), d, h)
                values, people, parameters = plain[name][here], persons[name][here], spread[name][here]
                best, pair = _hardest(values, people**2 + parameters**2, how.error)
                told = [dict(zip(accounts, map(float, row), strict=True)) for row in (values, people, parameters)]
                yield Sight(
                    output=name,
                    share_of=_share_of(model, name),
                    by=how.by,
                    dose=dose,
                    regimen=regimen,
                    hour=hour,
                    error=how.error,
                    values=told[0],
                    people=told[1],
                    parameters=told[2],
                    separation=float(best),
                    pair=(accounts[pair[0]], accounts[pair[1]]),
                )


def _share_of(model: Model, output: str) -> str:
    """What an output is a share of, as it is looked at."""
    return "receptors" if kind_named(model.outputs[output].kind).is_share else "the drug-free level"


def _question(model: Model, outputs: tuple[str, ...], last: int, end: float) -> Scenario:
    line = {"input": ORAL, "at": clock_text(CLOCK), "until": last}
    arms = {f"dose_{d}": Arm.model_validate({"regimen": [{**line, "dose": dose}]}) for d, dose in enumerate(DOSES)}
    return Scenario.model_validate(
        {
            "format": "ldnsim-scenario/1",
            "name": "apart",
            "question": "Which observation would tell the accounts apart?",
            "model": model,
            "duration": f"{end + 1:g} h",
            "arms": arms,
            "report": outputs,
        }
    )


def _looked_at(result: xr.Dataset, name: str) -> Floats:
    """What would be measured, dims (account, arm, [subject,] time): endogenous outputs over their drug-free twin."""
    data = over_twin(result, name)
    order = [dim for dim in ("account", "arm", "subject", "time") if dim in data.dims]
    return np.asarray(data.transpose(*order).to_numpy())


def _hardest(values: Floats, variances: Floats, error: float) -> tuple[float, tuple[int, int]]:
    """(the least separation of any two accounts, which two)."""
    found = [
        (abs(values[a] - values[b]) / np.sqrt((variances[a] + variances[b]) / 2 + error**2), (a, b))
        for a, b in combinations(range(len(values)), 2)
    ]
    return min(found)
