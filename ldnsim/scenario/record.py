"""The record of `scenarios/*.yaml`: what a scenario file says, before any change is applied."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, TypeAdapter, WithJsonSchema

from ldnsim.dosing.regimen import Arm
from ldnsim.foundation.fields import ChangeValue, Duration, Identifier, Names, Record, Weekday, Window, at_most
from ldnsim.model.records import Model
from ldnsim.scenario.design import Design, SweepAxis
from ldnsim.scenario.population import Population
from ldnsim.scenario.uncertainty import Uncertainty

__all__ = ["CHANGES", "ScenarioRecord"]

MOST_ARMS = 200
MOST_CHANGES = 500
Changes = Annotated[dict[str, ChangeValue], at_most(MOST_CHANGES)]
CHANGES: TypeAdapter[Changes] = TypeAdapter(Changes)

ModelByName = Annotated[Model, WithJsonSchema({"type": "string"})]


class ScenarioRecord(Record):
    """A question, the model and accounts that answer it, and the arms that are compared.

    The file names its model; the record holds it. `changes` maps addresses to values (see `changes`). With `start:
    steady_state` each arm is at its periodic steady state when day 1 begins.
    """

    format: Literal["ldnsim-scenario/1"]
    name: Identifier
    question: str
    cannot_say: str = ""
    model: ModelByName
    accounts: Names = ()
    duration: Duration
    start_day: Weekday = "mon"
    start: Literal["drug_free", "steady_state"] = "drug_free"
    arms: Annotated[dict[Identifier, Arm], at_most(MOST_ARMS)]
    report: Names = ()
    window: Window | None = None
    sample: Duration | None = None
    population: Population | None = None
    uncertainty: Uncertainty | None = None
    sweep: dict[str, SweepAxis] = Field(default_factory=dict)
    design: Design = Design()
    changes: Changes = Field(default_factory=dict)

    _text: str = PrivateAttr("")

    @property
    def text(self) -> str:
        """The text of the file that this scenario was read from; "" where it was made in Python."""
        return self._text

    def remember_text(self, text: str) -> None:
        self._text = text
