"""A scenario: one question. The record of `scenarios/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, WithJsonSchema

from ldnsim.dosing import Arm
from ldnsim.fields import Duration, Identifier, Names, Record, Weekday, Window
from ldnsim.model import Model
from ldnsim.population import Population

__all__ = ["Change", "Scenario"]

Change = str | bool | int | float | tuple[str | float, ...]

ModelByName = Annotated[Model, WithJsonSchema({"type": "string"})]


class Scenario(Record):
    """A question, the model and accounts that answer it, and the arms that are compared.

    The file names its model; the record holds it. `changes` maps addresses to values (see `addresses`).
    """

    format: Literal["ldnsim-scenario/1"]
    name: Identifier
    question: str
    cannot_say: str = ""
    model: ModelByName
    accounts: Names = ()
    duration: Duration
    start_day: Weekday = "mon"
    arms: dict[Identifier, Arm] = Field(min_length=1)
    report: Names = ()
    window: Window | None = None
    sample: Duration | None = None
    population: Population | None = None
    sweep: dict[str, tuple[str | bool | int | float, ...]] = {}
    changes: dict[str, Change] = {}

    _text: str = PrivateAttr("")

    @property
    def text(self) -> str:
        """The text of the file that this scenario was read from; "" where it was made in Python."""
        return self._text

    def remember_text(self, text: str) -> None:
        self._text = text

    def with_changes(self, changes: Mapping[str, Change | list[str | float]]) -> Scenario:
        """The same scenario with more addresses changed; raises LdnsimError for an address that names or moves nothing."""
        from ldnsim.addresses import resolve  # addresses knows scenarios, not the other way round

        merged = {**self.changes, **{address: tuple(v) if isinstance(v, list) else v for address, v in changes.items()}}
        changed = self.model_copy(update={"changes": merged})
        resolve(changed)
        return changed
