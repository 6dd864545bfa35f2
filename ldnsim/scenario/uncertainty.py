"""What is not known of parameters, as draws: from the range that a part states, or from a fit's covariance."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from ldnsim.foundation.fields import Names, QuantityField, Record, Whole, at_most

__all__ = ["PERSON_SLOT", "FittedValue", "StoredFit", "Uncertainty"]

# The slot of the person, if a model has it: ranges of its parameters are variability between people, not uncertainty.
PERSON_SLOT = "person"

MOST_DRAWS = 10_000
MOST_ESTIMATES = 200


class FittedValue(Record, extra="ignore"):
    """What a fit found for one parameter."""

    value: QuantityField


class StoredFit(Record, extra="ignore"):
    """What a fit found: parameters by address, and the covariance of their logarithms in the order of `order`; of one
    account, where it says which."""

    format: Literal["ldnsim-fit-result/1"]
    account: str = ""
    parameters: Annotated[dict[str, FittedValue], at_most(MOST_ESTIMATES)]
    order: Annotated[tuple[str, ...], at_most(MOST_ESTIMATES)]
    covariance_log: Annotated[tuple[tuple[float, ...], ...], at_most(MOST_ESTIMATES)]


FitByName = Annotated[StoredFit, WithJsonSchema({"type": "string", "examples": ["fit.json"]})]


class Uncertainty(Record):
    """How many draws of what is uncertain, beside the values as stated (draw 0).

    `parameters` are drawn from their range, each on its own: half of the draws on either side of the stated value,
    which stays the median, evenly on the logarithm where the range is positive. `fit` draws its parameters together,
    normal on the logarithm, around its estimates, which take the place of the stated values. A draw is the same for all
    people, and the same whatever the number of draws.
    """

    draws: Annotated[Whole, Field(ge=1, le=MOST_DRAWS)]
    seed: Annotated[Whole, Field(ge=0, le=10**18)] = 1
    parameters: Names = ()
    fit: FitByName | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """All that is drawn."""
        return (*self.parameters, *(self.fit.order if self.fit else ()))
