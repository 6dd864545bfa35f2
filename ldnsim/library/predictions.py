"""How facts are predicted: the record of `models/evidence/predictions.yaml`.

A prediction is data: a regimen, an output, what is read off its curve and in which window, so that two half-lives of
one curve are two predictions. Times count from midnight of day 1; doses that stand at 00:00 of day 1 make them hours
after the dose.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from ldnsim.dosing.regimen import Arm
from ldnsim.foundation.errors import nearest, shown
from ldnsim.foundation.fields import (
    ChangeValue,
    Duration,
    Identifier,
    Names,
    Record,
    Since,
    Whole,
    Window,
    at_most,
    wrong,
)
from ldnsim.metrics.catalogue import all_metrics

__all__ = [
    "NOT_METRICS",
    "Conflict",
    "Measure",
    "Observable",
    "Prediction",
    "Predictions",
    "RivalChoice",
    "Setup",
    "Take",
]

NOT_METRICS = ("value", "dose", "parameter")


def _known_take(found: object) -> str:
    known = (*NOT_METRICS, *all_metrics())
    if found not in known:
        raise wrong(f"unknown value {shown(found)}", ", ".join(known), nearest(str(found)[:60], known))
    return str(found)


Take = Annotated[
    str, PlainValidator(_known_take), WithJsonSchema({"type": "string", "enum": [*NOT_METRICS, *all_metrics()]})
]
MANY = at_most(1_000)


class Setup(Arm):
    """A regimen, and how long it is followed."""

    title: str
    duration: Duration


class Measure(Record):
    """A number read off a run: of an output in an arm at a time or over a window; or a parameter's value.

    `take` is the name of a metric of the registry, over `window`; or `value` (at a time), `dose` (all that an arm
    gives) or `parameter`. `relative` divides the curve by that of the drug-free twin at the same time.
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
