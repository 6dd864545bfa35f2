"""Who takes part: how many virtual people, and what of them is drawn or read from a table."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, WithJsonSchema

from ldnsim.foundation.fields import Duration, Record, Whole, at_most
from ldnsim.model.variability import Correlation, Spread

__all__ = ["PeopleColumn", "PeopleTable", "Population"]

LARGEST = 100_000_000
MOST_QUANTITIES = 200


class PeopleColumn(Record):
    """One quantity of everybody: its address as the table has it, its unit, and a number for each person."""

    address: str
    unit: str
    values: tuple[float, ...]


class PeopleTable(Record):
    """People read from a file: its name, the hash of its text, and its columns."""

    file: str
    digest: str
    columns: tuple[PeopleColumn, ...] = Field(repr=False)

    @property
    def rows(self) -> int:
        return len(self.columns[0].values)


TableByName = Annotated[PeopleTable, WithJsonSchema({"type": "string", "examples": ["people.csv"]})]


class Population(Record):
    """How many virtual people, and the seed that they are drawn with.

    `covariates` (address -> distribution) and the columns of a `table` take the place of parameters' values; all other
    parameters vary as their part says. `occasion` is how long what varies between occasions stays: a new one begins
    with the first dose after it. Without it, everybody is the same on every day. A table gives the size: a row each.
    """

    size: Annotated[Whole, Field(ge=1, le=LARGEST)]
    seed: Annotated[Whole, Field(ge=0, le=10**18)] = 1
    occasion: Duration | None = None
    covariates: Annotated[dict[str, Spread], at_most(MOST_QUANTITIES)] = Field(default_factory=dict)
    correlations: Annotated[tuple[Correlation, ...], at_most(MOST_QUANTITIES)] = ()
    table: TableByName | None = None

    @property
    def given(self) -> frozenset[str]:
        """The addresses that covariates and table give values to."""
        columns = self.table.columns if self.table else ()
        return frozenset([*self.covariates, *(column.address for column in columns)])
