"""New values for old: relative ones multiplied, each held against what it replaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError, shown
from ldnsim.foundation.units import LARGEST, Quantity, drug_dimension, parse_quantity

if TYPE_CHECKING:
    from ldnsim.model.records import Parameter

__all__ = ["new_value", "relative"]

LIKE_FACTOR = re.compile(r"[x×*](?=[\s\d.+-]|\Z)")
FACTOR = re.compile(r"x\s*([0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+)\Z")
LONGEST_FACTOR = 60


def relative(value: object, old: Quantity | None) -> object:
    """`x 0.5` as half of the old value; anything else as it is."""
    text = value.strip() if isinstance(value, str) else ""
    if not LIKE_FACTOR.match(text):
        return value
    match = FACTOR.match(text) if len(text) <= LONGEST_FACTOR else None
    if match is None:
        raise LdnsimError(Fault(f"{shown(text)} is no factor", expected="'x 0.5'; 0 or more"))
    if old is None:
        raise LdnsimError(Fault(f"{shown(text)} has nothing to multiply", expected="a value with its unit"))
    new = old.value * float(match[1])
    if not abs(new) < LARGEST:
        raise LdnsimError(Fault(f"{shown(text)} is too large", expected="a factor of usable size"))
    return Quantity(new, old.unit)


def new_value(value: object, old: Quantity, parameter: Parameter) -> Quantity:
    """The value as one of the parameter; an LdnsimError says why it cannot be."""
    new = parse_quantity(relative(value, old))
    of_drug = parameter.of is not None
    if drug_dimension(new.dimension, of_drug) != drug_dimension(old.dimension, of_drug):
        raise LdnsimError(Fault(f"{new} has another unit than {old}", expected=f"a value in {old.unit}"))
    if new.value < 0 and parameter.range and parameter.range[0].value >= 0:
        raise LdnsimError(
            Fault(
                f"{new} is negative", expected=f"a value from {parameter.range[0]} to {parameter.range[1]}, or near it"
            )
        )
    return new
