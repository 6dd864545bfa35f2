"""What single fields of the files look like: quantities, clock times, days, names. Shared by all records."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from ldnsim.errors import Fault, LdnsimError, nearest
from ldnsim.expressions import BUILT_IN, FUNCTIONS
from ldnsim.units import DIMENSIONLESS, Quantity, coherent, parse_quantity, parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "Day", "Duration", "Identifier", "Names", "Positive", "QuantityField", "Record", "Share", "UnitField", "Weekday", "Weekdays", "Window"]

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
RESERVED = frozenset(BUILT_IN) | frozenset(FUNCTIONS)
CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])\Z")
DAY = re.compile(r"(?:day\s*)?([1-9][0-9]{0,4})\Z", re.I)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 10 * 365.25 * 24


class Record(BaseModel):
    """A frozen record that is also the schema of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


def wrong(message: str, expected: str = "", nearest: str = "") -> PydanticCustomError:
    """An error that `files` turns into a Fault with its place."""
    return PydanticCustomError("ldnsim", "{message}", {"message": message, "expected": expected, "nearest": nearest})


def _told(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def validate(found: Any) -> Any:
        try:
            return function(found)
        except LdnsimError as caught:
            fault = caught.faults[0]
            raise wrong(fault.message, fault.expected, fault.nearest) from None

    return validate


def _quantity_schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "examples": [example]})


def _duration(found: Quantity) -> Quantity:
    if found.dimension != BUILT_IN["day"]:
        raise wrong(f"{found} is not a length of time", "for example '28 d', '2 h' or '30 min'")
    if not 0 < coherent(found) <= LONGEST:
        raise wrong(f"{found} is not a usable length of time", "more than 0 and at most 10 years")
    return found


def _hours(found: Quantity) -> Quantity:
    if found.dimension != BUILT_IN["day"] or found.value < 0:
        raise wrong(f"{found} is not a time since the start", "0 h or more, for example '72 h'")
    return found


def _share(found: Quantity) -> Quantity:
    if found.dimension != DIMENSIONLESS or not 0 <= coherent(found) <= 1:
        raise wrong(f"{found} is not a share", "0 % to 100 %")
    return found


def _positive(found: Quantity) -> Quantity:
    if found.value <= 0:
        raise wrong(f"{found} is not positive", "more than 0")
    return found


def _not_negative(found: Quantity) -> Quantity:
    if found.value < 0:
        raise wrong(f"{found} is negative", "0 or more")
    return found


def _identifier(found: str) -> str:
    if not IDENTIFIER.match(found) or len(found) > 60:
        raise wrong(f"{found[:60]!r} cannot be a name", "a letter, then letters, digits and _ (at most 60)")
    if found in RESERVED:
        raise wrong(f"{found!r} is a word of the equations and cannot be a name", "another name")
    return found


def _clock(found: object) -> float:
    if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < 24:
        return float(found)  # already hours, from Python
    match = CLOCK.match(found.strip()) if isinstance(found, str) else None
    if match is None:
        raise wrong(f"{str(found)[:40]!r} is not a clock time", "\"HH:MM\" from \"00:00\" to \"23:59\"")
    return int(match[1]) + int(match[2]) / 60


def _day(found: object) -> int:
    match = DAY.match(str(found).strip()) if isinstance(found, int | str) and not isinstance(found, bool) else None
    if match is None:
        raise wrong(f"{str(found)[:40]!r} is not a day", "'day 1', 'day 2', ...")
    return int(match[1])


def _weekday(found: object) -> str:
    word = str(found).lower()[:3]
    if not isinstance(found, str) or word not in WEEKDAYS or not found.isalpha() or len(found) > 9:
        raise wrong(f"{str(found)[:40]!r} is not a day of the week", ", ".join(WEEKDAYS), nearest(str(found), WEEKDAYS))
    return word


def _listed(found: object) -> object:
    return (found,) if isinstance(found, str | int | float) else found


def _unit(found: object) -> str:
    text = "1" if found == 1 and not isinstance(found, bool) else found
    if not isinstance(text, str):
        raise wrong(f"{str(found)[:40]!r} is not a unit", "a unit in text")
    parse_unit(text)
    return text


QuantityField = Annotated[Quantity, BeforeValidator(_told(parse_quantity)), _quantity_schema("4.5 mg")]
NotNegative = Annotated[QuantityField, AfterValidator(_not_negative)]
Positive = Annotated[QuantityField, AfterValidator(_positive)]
Duration = Annotated[QuantityField, AfterValidator(_duration), _quantity_schema("28 d")]
Window = tuple[Annotated[QuantityField, AfterValidator(_hours)], Annotated[QuantityField, AfterValidator(_hours)]]
Share = Annotated[QuantityField, AfterValidator(_share), _quantity_schema("30 %")]
UnitField = Annotated[str, BeforeValidator(_told(_unit)), WithJsonSchema({"type": ["string", "number"], "examples": ["nmol/L"]})]
Identifier = Annotated[str, AfterValidator(_identifier)]
Clock = Annotated[float, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": "^[0-2]?[0-9]:[0-5][0-9]$"})]
Day = Annotated[int, BeforeValidator(_day), WithJsonSchema({"type": ["string", "integer"], "examples": ["day 1"]})]
Weekday = Annotated[str, BeforeValidator(_weekday), WithJsonSchema({"enum": list(WEEKDAYS)})]
Clocks = Annotated[tuple[Clock, ...], BeforeValidator(_listed)]
Weekdays = Annotated[tuple[Weekday, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


def hours(quantity: Quantity) -> float:
    """A length of time in hours."""
    return coherent(quantity)


def clock_text(clock: float) -> str:
    """Hours after midnight as HH:MM."""
    minutes = math.floor(clock * 60 + 0.5) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def faults_of(caught: LdnsimError | ValidationError) -> list[Fault]:
    """What pydantic, or we ourselves, found wrong, as faults. Paths start at the record that was validated."""
    if isinstance(caught, LdnsimError):
        return list(caught.faults)
    faults = []
    for error in caught.errors(include_url=False):
        context = error.get("ctx", {})
        kind, path, message = error["type"], tuple(error["loc"]), error["msg"]
        found = error.get("input")
        if kind == "missing":
            message = f"{path[-1]!r} is missing"
            path = path[:-1]
        elif kind == "extra_forbidden":
            message = f"unknown key {str(path[-1])[:60]!r}"
        elif kind != "ldnsim":
            message = f"{_short(found)}: {message[0].lower()}{message[1:]}"
        faults.append(Fault(message, path, str(context.get("expected", "")), str(context.get("nearest", "")), at_key=kind == "extra_forbidden"))
    return faults


def _short(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."
