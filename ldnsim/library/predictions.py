"""How facts are predicted: the record of `models/evidence/predictions.yaml`.

A prediction is data: a regimen, an output, what is read off its curve and in which window, so that two half-lives of
one curve are told apart by what is written here. Times count from midnight of day 1; doses that stand at 00:00 of day 1
make them hours after the dose.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ldnsim.dosing.regimen import Arm
from ldnsim.foundation.fields import ChangeValue, Duration, Identifier, Names, Record, Since, Whole, Window, at_most

__all__ = [
    "FROM_A_MOMENT",
    "FROM_A_WINDOW",
    "Conflict",
    "Measure",
    "Observable",
    "Prediction",
    "Predictions",
    "RivalChoice",
    "Setup",
    "Take",
]

Take = Literal[
    "value", "peak", "time_of_peak", "half_life", "area", "time_to_half",
    "amplitude", "acrophase", "clock_of_peak", "clock_of_trough", "dose", "parameter",
]  # fmt: skip
FROM_A_MOMENT = ("value",)
FROM_A_WINDOW = (
    "peak", "time_of_peak", "half_life", "area", "time_to_half", "clock_of_peak", "clock_of_trough",
)  # fmt: skip
MANY = at_most(1_000)


class Setup(Arm):
    """A regimen, and how long it is followed."""

    title: str
    duration: Duration


class Measure(Record):
    """A number read off a run: of an output in an arm at a time or over a window; or a parameter's value.

    Half-lives are those of a line through the logarithm, each hour of the window counting once; times of a peak count
    from the last dose before the window. `relative` divides the curve by that of the drug-free twin at the same time.
    `amplitude` and `acrophase` are of the first harmonic of a day.
    """

    arm: str = ""
    output: str = ""
    take: Take = "value"
    at: Since | None = None
    window: Window | None = None
    relative: bool = False
    parameter: str = ""


class Prediction(Measure):
    """A fact's number predicted: a measure, or its ratio to another one (which repeats only what differs).

    `number` says which of a fact's numbers, from 1; `anywhere` that the time is known only as within a window;
    `changes` what has to be changed for it (addresses). `cannot` is why the models cannot predict it.
    """

    over: Measure | None = None
    number: Whole = 1
    anywhere: Window | None = None
    changes: Annotated[dict[str, ChangeValue], MANY] = Field(default_factory=dict)
    note: str = ""
    cannot: str = ""


class Conflict(Record):
    """Facts that cannot all be met by one set of parameters."""

    title: str
    facts: Names
    note: str = ""


class RivalChoice(Record):
    """Rival sets of parameters that are chosen together (slot -> set), and the facts that they were set by."""

    sets: Annotated[dict[Identifier, str], MANY]
    set_by: Names = ()


class Observable(Record):
    """An output that people could measure, how, and the standard deviation of one measurement: of a share, or (for
    endogenous outputs) of the ratio to the drug-free twin."""

    by: str
    error: Annotated[float, Field(gt=0)]
    note: str


class Predictions(Record):
    """Which facts a library's models are held against, and how."""

    format: Literal["ldnsim-predictions/1"]
    drugs: dict[Identifier, str] = Field(default_factory=dict)
    arms: Annotated[dict[Identifier, Setup], MANY]
    facts: Annotated[dict[str, tuple[Prediction, ...]], MANY]
    conflicts: Annotated[dict[Identifier, Conflict], MANY] = Field(default_factory=dict)
    rivals: Annotated[dict[Identifier, RivalChoice], MANY] = Field(default_factory=dict)
    measurable: Annotated[dict[Identifier, Observable], MANY] = Field(default_factory=dict)
