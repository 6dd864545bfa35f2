"""What single fields of the files look like: quantities, clock times, days, names. Shared by all records."""

from __future__ import annotations

import re
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ldnsim.foundation.clock import parse_clock
from ldnsim.foundation.errors import LdnsimError, nearest, shown
from ldnsim.foundation.expressions import BUILT_IN, FUNCTIONS
from ldnsim.foundation.units import DIMENSIONLESS, QUANTITY_EXAMPLE, Quantity, coherent, parse_quantity, parse_unit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AxisField",
    "Change",
    "ChangeValue",
    "Clock",
    "Day",
    "Days",
    "Duration",
    "Identifier",
    "Names",
    "NotNegative",
    "NotNegativePair",
    "Positive",
    "QuantityField",
    "QuantityPair",
    "Record",
    "Rung",
    "Share",
    "ShareOrAddress",
    "UnitField",
    "Variability",
    "Weekday",
    "Weekdays",
    "Whole",
    "Window",
    "by_day",
]

IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
RESERVED = frozenset(BUILT_IN) | frozenset(FUNCTIONS)
DAY = re.compile(r"(?:day\s*)?([1-9][0-9]{0,4})\Z", re.I)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STOP = "stop"  # a rung of a ladder from which on nothing is taken
LONGEST = 10 * 365.25 * 24
MOST_ITEMS = 1_000
LARGEST_VARIABILITY = 5.0

Change = str | int | float | tuple[str | int | float, ...]  # what an address can be changed to


class Record(BaseModel):
    """A frozen record that is also the schema of its file."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())


def wrong(
    message: str, expected: str = "", nearest: str = "", offset: tuple[int, int] | None = None
) -> PydanticCustomError:
    """An error that becomes a Fault with its place (see `schema_faults`)."""
    return PydanticCustomError(
        "ldnsim", "{message}", {"message": message, "expected": expected, "nearest": nearest, "offset": offset}
    )


def _told(function: Callable[[Any], Any], expected: str = "") -> Callable[[Any], Any]:
    def validate(found: Any) -> Any:
        try:
            return function(found)
        except LdnsimError as caught:
            fault = caught.faults[0]
            raise wrong(
                fault.message,
                (fault.expected == QUANTITY_EXAMPLE and expected) or fault.expected,
                fault.nearest,
                fault.offset,
            ) from None

    return validate


def _read(example: str) -> BeforeValidator:
    return BeforeValidator(_told(parse_quantity, f"a number with its unit, such as '{example}'"))


def _schema(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": ["string", "number"], "examples": [example]})


def _duration(found: Quantity) -> Quantity:
    if found.dimension != BUILT_IN["day"]:
        raise wrong(f"{found} is not a length of time", "for example '28 d', '2 h' or '30 min'")
    if not 0 < coherent(found) <= LONGEST:
        raise wrong(f"{found} is not a usable length of time", "more than 0 and at most 10 years")
    return found


def _rung(found: object) -> object:
    word = found.strip().lower() if isinstance(found, str) else ""
    if word.isalpha() and word != STOP:
        message = f"{shown(found)} is neither a dose nor {STOP}"
        raise wrong(message, f"a dose, such as 4.5 mg, or {STOP}", nearest(word, (STOP,)))
    return "0 mg" if word == STOP else found


def _hours(found: Quantity) -> Quantity:
    if found.dimension != BUILT_IN["day"] or found.value < 0:
        raise wrong(f"{found} is not a time since the start", "0 h or more, for example '72 h'")
    return found


def _share(found: Quantity) -> Quantity:
    if found.dimension != DIMENSIONLESS or not 0 <= coherent(found) <= 1:
        raise wrong(f"{found} is not a share", "0 % to 100 %")
    return found


def _variability(found: Quantity) -> Quantity:
    if found.dimension != DIMENSIONLESS or not 0 <= coherent(found) <= LARGEST_VARIABILITY:
        raise wrong(f"{found} is not a coefficient of variation", f"0 % to {LARGEST_VARIABILITY * 100:g} %")
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
        raise wrong(f"{shown(found)} cannot be a name", "a letter, then letters, digits and _ (at most 60)")
    if found in RESERVED:
        raise wrong(f"{found!r} is a word of the equations and cannot be a name", "another name")
    return found


def _clock(found: object) -> float:
    time = parse_clock(found) if isinstance(found, str) else None
    if time is None:
        raise wrong(f"{shown(found)} is not a clock time", '"HH:MM" from "00:00" to "23:59"')
    return time


def _day(found: object) -> int:
    match = (
        DAY.match(str(found).strip())
        if isinstance(found, str) or (isinstance(found, int) and 0 < found < 10**5)
        else None
    )
    if match is None or isinstance(found, bool):
        raise wrong(f"{shown(found)} is not a day", "'day 1', 'day 2', ...")
    return int(match[1])


def _weekday(found: object) -> str:
    word = found.strip().lower() if isinstance(found, str) else ""
    if word not in WEEKDAYS and word not in LONG_WEEKDAYS:
        raise wrong(
            f"{shown(found)} is not a day of the week",
            ", ".join(WEEKDAYS),
            nearest(word, WEEKDAYS) or nearest(word, LONG_WEEKDAYS)[:3],
        )
    return word[:3]


def _unit(found: object) -> str:
    text = "1" if found == 1 and not isinstance(found, bool) else found
    if not isinstance(text, str):
        raise wrong(f"{shown(found)} is not a unit", 'a unit, such as nmol/L, or "1" for none')
    parse_unit(text)
    return text


def at_most(count: int) -> BeforeValidator:
    """Refuses longer lists and larger mappings before their entries are looked at."""

    def bounded(found: object) -> object:
        if isinstance(found, dict | list | tuple) and len(found) > count:
            raise wrong(f"{shown(found)} of {len(found)} entries", f"at most {count}")
        return found

    return BeforeValidator(bounded)


def _listed(found: object) -> object:
    """One value as a list of one; what is no list at all is told by pydantic."""
    return (found,) if isinstance(found, str | int | float) else found


def _some(found: object) -> object:
    values = _listed(found)
    if isinstance(values, list | tuple) and not values:
        raise wrong("an empty list", "at least one entry")
    return values


def _pair_like(example: str) -> BeforeValidator:
    def pair(found: object) -> object:
        if not isinstance(found, list | tuple) or len(found) != 2:
            raise wrong("this is not a pair of values", f"two values, the lower first: {example}")
        return tuple(found)

    return BeforeValidator(pair)


def _by_day(found: object) -> object:
    """Refuses two spellings of one day: the last of them would win in silence."""
    if isinstance(found, dict):
        days: dict[int, object] = {}
        for key in found:
            match = DAY.match(str(key).strip())
            if match and days.setdefault(int(match[1]), key) is not key:
                raise wrong(f"{shown(days[int(match[1])])} and {shown(key)} are the same day", "each day once")
    return found


def _whole(found: object) -> int:
    number: object = int(found) if isinstance(found, str) and re.fullmatch(r"\s*[-+]?[0-9]{1,18}\s*", found) else found
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < 1e19 or number % 1:
        raise wrong(f"{shown(found)} is not a whole number", "digits, such as 200")
    return int(number)


def _share_or_address(found: object) -> str | float:
    """A share as a number from 0 to 1 (`0.2`, `20 %`), or the address of a parameter that holds it."""
    if isinstance(found, str) and "." in found and found[:1].isalpha():
        return found
    try:
        share = parse_quantity(found)
    except LdnsimError:
        raise wrong(f"{shown(found)} is not a share of the dose", "0 to 1, or slot.parameter") from None
    return coherent(_share(share))


def _change(found: object) -> Change:
    if isinstance(found, list | tuple) and len(found) <= MOST_ITEMS:
        return tuple(_single_change(value) for value in found)
    return _single_change(found)


def _single_change(found: object) -> str | int | float:
    if isinstance(found, Quantity):
        return str(found)
    if isinstance(found, str):
        return str(found)
    if isinstance(found, bool) or not isinstance(found, Real):
        raise wrong(
            f"{shown(found)} is no value to change to", "a number, a value with its unit, a name, or a list of these"
        )
    return int(found) if isinstance(found, Integral) else float(found)  # numpy's numbers are not JSON's


QuantityField = Annotated[Quantity, _read("4.5 mg"), _schema("4.5 mg")]
NotNegative = Annotated[QuantityField, AfterValidator(_not_negative)]
Positive = Annotated[QuantityField, AfterValidator(_positive)]
Rung = Annotated[NotNegative, BeforeValidator(_rung)]
Duration = Annotated[Quantity, _read("28 d"), AfterValidator(_duration), _schema("28 d")]
Share = Annotated[Quantity, _read("30 %"), AfterValidator(_share), _schema("30 %")]
Variability = Annotated[Quantity, _read("30 %"), AfterValidator(_variability), _schema("30 %")]
Since = Annotated[Quantity, _read("72 h"), AfterValidator(_hours), _schema("72 h")]
QuantityPair = Annotated[tuple[QuantityField, QuantityField], _pair_like("[0.7 ng/mL, 4.7 ng/mL]")]
NotNegativePair = Annotated[tuple[NotNegative, NotNegative], _pair_like("[90 %, 110 %]")]
Window = Annotated[tuple[Since, Since], _pair_like("[0 h, 72 h]")]
UnitField = Annotated[str, BeforeValidator(_told(_unit)), _schema("nmol/L")]
Identifier = Annotated[str, AfterValidator(_identifier)]
Whole = Annotated[int, BeforeValidator(_whole)]
Clock = Annotated[
    float, PlainValidator(_clock), WithJsonSchema({"type": "string", "pattern": "^[0-2]?[0-9]:[0-5][0-9]$"})
]
Day = Annotated[int, PlainValidator(_day), WithJsonSchema({"type": ["string", "integer"], "examples": ["day 1"]})]
Weekday = Annotated[str, PlainValidator(_weekday), WithJsonSchema({"enum": list(WEEKDAYS)})]
Clocks = Annotated[tuple[Clock, ...], at_most(MOST_ITEMS), BeforeValidator(_some)]
Days = Annotated[tuple[Day, ...], at_most(MOST_ITEMS), BeforeValidator(_listed)]
Weekdays = Annotated[tuple[Weekday, ...], at_most(MOST_ITEMS), BeforeValidator(_listed)]
Names = Annotated[tuple[str, ...], at_most(MOST_ITEMS), BeforeValidator(_listed)]
by_day = BeforeValidator(_by_day)
ShareOrAddress = Annotated[
    str | float, PlainValidator(_share_or_address), WithJsonSchema({"type": ["string", "number"]})
]
ChangeValue = Annotated[Change, PlainValidator(_change), WithJsonSchema({"type": ["string", "number", "array"]})]

AxisField = Annotated[tuple[ChangeValue, ...], at_most(MOST_ITEMS)]


def hours(quantity: Quantity) -> float:
    """A length of time in hours."""
    return coherent(quantity)
