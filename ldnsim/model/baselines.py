"""What an output can be divided by after the run: nothing but its unit, or the same person's run without drug."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.units import declared

if TYPE_CHECKING:
    from ldnsim.model.records import Output

__all__ = ["BASELINES", "DAILY_MEAN", "DRUG_FREE", "Baseline", "baseline_of", "divisor"]


@dataclass(frozen=True)
class Baseline:
    """A baseline in words: `unit` for axes, `phrase` behind a title, `line` beside the line at 1 in figures."""

    name: str
    unit: str
    phrase: str
    line: str = ""


DRUG_FREE, DAILY_MEAN = "drug_free", "drug_free_daily_mean"
BASELINES = {
    baseline.name: baseline
    for baseline in (
        Baseline(DRUG_FREE, "ratio to no drug", "ratio to the drug-free twin", "without drug"),
        Baseline(DAILY_MEAN, "fold of drug-free mean", "fold of its daily mean without drug"),
    )
}


def baseline_of(name: object) -> Baseline | None:
    """The baseline of this name; None where an output has none."""
    return BASELINES.get(str(name))


def divisor(output: Output, molar_mass: float | None, twin: Any, twin_day: Any) -> Any:
    """What the solver's values of an output are divided by to be those that people see.

    `twin` (..., times) are the values without drug at the same times, `twin_day` (..., hours) those at equal steps
    through a day; only the one that the output's baseline needs is looked at. Returns the unit's factor, or an array
    that fits values of shape (..., times).
    """
    if output.relative_to == DRUG_FREE:
        return twin
    if output.relative_to == DAILY_MEAN:
        return np.ascontiguousarray(twin_day).mean(axis=-1)[..., None]  # equal steps: exact for a smooth rhythm
    return declared(output.unit, molar_mass)
