"""A scenario: one question. The record of `scenarios/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, TypeAdapter, ValidationError, WithJsonSchema

from ldnsim.design import Design, SweepAxis
from ldnsim.dosing import Arm
from ldnsim.errors import LdnsimError
from ldnsim.fields import Change, ChangeValue, Duration, Identifier, Names, Record, Weekday, Window, at_most
from ldnsim.misfits import faults_of
from ldnsim.model import Model
from ldnsim.population import Population
from ldnsim.uncertainty import Uncertainty

__all__ = ["Change", "Scenario"]

MOST_ARMS = 200
MOST_CHANGES = 500
Changes = Annotated[dict[str, ChangeValue], at_most(MOST_CHANGES)]
CHANGES: TypeAdapter[Changes] = TypeAdapter(Changes)

ModelByName = Annotated[Model, WithJsonSchema({"type": "string"})]


class Scenario(Record):
    """A question, the model and accounts that answer it, and the arms that are compared.

    The file names its model; the record holds it. `changes` maps addresses to values (see `addresses`). With `start:
    steady_state` each arm has been followed for ever when day 1 begins.
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

    def with_changes(self, changes: Mapping[str, Change | list[str | float]]) -> Scenario:
        """The same scenario with more addresses changed; raises LdnsimError for an address that names or moves nothing.

        Changes are merged with those that the scenario has, the later one of an address counts, and all are applied at
        once: `x 0.5` multiplies what the arms and the account say, not what an earlier change made of it.
        """
        from ldnsim.addresses import resolve  # addresses knows scenarios, not the other way round

        try:
            new = CHANGES.validate_python(dict(changes))
        except ValidationError as caught:
            raise LdnsimError(fault.under("changes") for fault in faults_of(caught)) from None
        kept = {address: value for address, value in self.changes.items() if address not in new}
        changed = self.model_copy(update={"changes": {**kept, **new}})
        resolve(changed)
        return changed
