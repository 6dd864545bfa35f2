"""A fit: which parameters are estimated from which data. The record of `models/fits/*.yaml`.

A datum is a fact (`Cmax 13.3 ng/mL`) or a row of a table beside the file. Its error is a `cv`, and then it is held
against the model on the log scale, or an `sd` in its own unit, and then on the linear one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainValidator, PrivateAttr, WithJsonSchema

from ldnsim.dosing.regimen import Arm
from ldnsim.foundation.clock import parse_clock
from ldnsim.foundation.errors import LdnsimError, nearest, shown
from ldnsim.foundation.expressions import BUILT_IN
from ldnsim.foundation.fields import (
    DAY,
    IDENTIFIER,
    ChangeValue,
    Duration,
    Identifier,
    Names,
    Positive,
    QuantityField,
    QuantityPair,
    Record,
    Variability,
    Weekday,
    Whole,
    Window,
    at_most,
    wrong,
)
from ldnsim.foundation.units import coherent, parse_quantity
from ldnsim.metrics.catalogue import all_metrics, metric_named
from ldnsim.scenario.record import ModelByName
from ldnsim.scenario.scenario import Scenario

__all__ = ["DataTable", "Datum", "EstimatedParameter", "Fit", "MetricName", "Moment"]

MOST_ESTIMATES = 30
MOST_FACTS = 500
MOST_STARTS = 1_000
DAY_AND_CLOCK = re.compile(r"(day\s*[0-9]+)\s+([0-9:]+)\Z", re.I)


def _known_metric(found: object) -> str:
    if metric_named(found) is None:
        known = list(all_metrics())
        raise wrong(f"unknown value {shown(found)}", ", ".join(known), nearest(str(found)[:60], known))
    return str(found)


# of a curve over a window: any metric of the registry
MetricName = Annotated[
    str, PlainValidator(_known_metric), WithJsonSchema({"type": "string", "enum": list(all_metrics())})
]


def _moment(found: object) -> float | str:
    """Hours since midnight of day 1 from 4, '4 h' or 'day 2 08:00'; a name stays a name."""
    if isinstance(found, str):
        text = found.strip()
        match = DAY_AND_CLOCK.match(text)
        if match and (day := DAY.match(match[1])) and (clock := parse_clock(match[2])) is not None:
            return (int(day[1]) - 1) * 24 + clock
        if IDENTIFIER.match(text):
            return text
    expected = "hours since midnight of day 1, such as 4 or 4 h, or 'day 2 08:00', or the name of an estimated time"
    try:
        quantity = parse_quantity(found)
    except LdnsimError:
        raise wrong(f"{shown(found)} is not a time", expected) from None
    if quantity.unit != "1" and quantity.dimension != BUILT_IN["day"]:
        raise wrong(f"{quantity} is not a time", expected)
    at = quantity.value if quantity.unit == "1" else coherent(quantity)
    if at < 0:
        raise wrong(f"{shown(found)} is before the run", expected)
    return at


def _not_zero(found: object) -> object:
    if coherent(found) <= 0:  # type: ignore[arg-type]
        raise wrong(f"an error of {found}", "more than 0")
    return found


def _count(most: int) -> AfterValidator:
    def counted(found: int) -> int:
        if not 1 <= found <= most:
            raise wrong(f"{found} is out of range", f"1 to {most}")
        return found

    return AfterValidator(counted)


Moment = Annotated[
    float | str, PlainValidator(_moment), WithJsonSchema({"type": ["string", "number"], "examples": ["4 h"]})
]
Cv = Annotated[Variability, AfterValidator(_not_zero)]


class EstimatedParameter(Record):
    """A parameter that is estimated, or a time that is not known. Without `start`: the value that it has."""

    start: QuantityField | None = None
    bounds: QuantityPair
    scale: Literal["log", "linear"] = "log"


class Datum(Record):
    """One number that the model is held against: an output `at` a time, or a `metric` of its curve.

    `over`: divided by the output at that time. `of`: the drug whose mass counts as an amount. `use: test`: predicted
    and shown, never fitted.
    """

    arm: str
    output: str
    at: Moment | None = None
    over: Moment | None = None
    metric: MetricName | None = None
    window: Window | None = None
    value: QuantityField
    of: str | None = None
    cv: Cv | None = None
    sd: Positive | None = None
    use: Literal["fit", "test"] = "fit"
    source: Names = ()
    note: str = ""

    @property
    def what(self) -> str:
        """What of the output it speaks of, in words."""
        if self.metric:
            return self.metric
        at, over = (moment if isinstance(moment, str | None) else f"{moment:g} h" for moment in (self.at, self.over))
        return f"at {at}" + (f" over that at {over}" if over is not None else "")

    def unit_for(self, unit: str) -> str:
        """The unit of what this speaks of, where the output is in `unit`."""
        if self.over is not None:
            return "1"
        metric = metric_named(self.metric)
        return metric.unit_for(unit) if metric else unit


class DataTable(Record):
    """Observations in a CSV file beside this one: columns arm, output, time (h since midnight of day 1, or
    'day 2 08:00'), value and, for the error, cv, sd or weight (of a row, with the `cv` or `sd` said here)."""

    file: str
    unit: str = "1"
    of: str | None = None
    cv: Cv | None = None
    sd: Positive | None = None
    use: Literal["fit", "test"] = "fit"
    source: Names = ()


class Fit(Record):
    """Parameters of one account, and the data that they are estimated from."""

    format: Literal["ldnsim-fit/1"]
    name: Identifier
    question: str
    cannot_say: str = ""
    model: ModelByName
    account: str | None = None
    duration: Duration
    start_day: Weekday = "mon"
    arms: Annotated[dict[Identifier, Arm], at_most(200)]
    changes: Annotated[dict[str, ChangeValue], at_most(500)] = Field(default_factory=dict)
    estimate: Annotated[dict[str, EstimatedParameter], at_most(MOST_ESTIMATES)]
    facts: Annotated[dict[Identifier, Datum], at_most(MOST_FACTS)] = Field(default_factory=dict)
    tables: Annotated[dict[Identifier, DataTable], at_most(50)] = Field(default_factory=dict)
    starts: Annotated[Whole, _count(MOST_STARTS)] = 8
    seed: Whole = 1

    _text: str = PrivateAttr("")
    _rows: dict[str, Datum] = PrivateAttr(default_factory=dict)
    _folder: Path | None = PrivateAttr(None)

    @property
    def text(self) -> str:
        """The text of the file that this fit was read from; "" where it was made in Python."""
        return self._text

    @property
    def data(self) -> dict[str, Datum]:
        """Every datum by its label: the facts, then the rows of the tables."""
        return {**self.facts, **self._rows}

    @property
    def folder(self) -> Path | None:
        """Where the file stands, and with it its tables and references; None where it was made in Python."""
        return self._folder

    def remember(self, text: str, rows: dict[str, Datum], folder: Path) -> None:
        """What the file said, what stood in its tables, and where they are."""
        self._text, self._rows, self._folder = text, rows, folder

    @property
    def times(self) -> tuple[str, ...]:
        """The estimated times: names in `estimate` that facts use for a time."""
        used = {moment for fact in self.data.values() for moment in (fact.at, fact.over) if isinstance(moment, str)}
        return tuple(name for name in self.estimate if name in used)

    @property
    def scenario(self) -> Scenario:
        """What is simulated: the arms, the one account, the outputs that data speak of."""
        known = self.model.outputs
        return Scenario(
            format="ldnsim-scenario/1",
            name=self.name,
            question=self.question,
            model=self.model,
            accounts=(self.account,) if self.account else tuple(self.model.accounts)[:1],
            duration=self.duration,
            start_day=self.start_day,
            arms=self.arms,
            report=tuple(dict.fromkeys(fact.output for fact in self.data.values() if fact.output in known)),
            changes=self.changes,
        )
