"""Units at the edges: text to coherent floats and back.

Inside, every number is a plain float in one coherent system: hours, nanomoles, litres, kilograms. A mass of a drug is
an amount of it, so `of: naltrexone` turns ng/mL into nmol/L once, here, by the drug's molar mass.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from numbers import Real
from typing import Any, NamedTuple

from ldnsim.foundation.errors import Fault, LdnsimError, nearest, shown

__all__ = [
    "DIMENSIONLESS",
    "Dimension",
    "Quantity",
    "Unit",
    "coherent",
    "declared",
    "drug_dimension",
    "parse_quantity",
    "parse_unit",
]

# Every unit that a file may use, in pint's own definition language, the coherent units first.
DEFINITIONS = """
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = u- = µ- = μ-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
hour = [time] = h = hr = hours
second = hour / 3600 = s = seconds
minute = hour / 60 = min = minutes
day = 24 * hour = d = days
week = 7 * day = weeks
year = 365.25 * day = years
mole = [amount] = mol
litre = [volume] = L = l
meter = [length] = m
gram = [mass] = g
mcg = 1e-6 * gram
molar = mole / litre = M
percent = 0.01
""".strip().splitlines()
TO_COHERENT = {
    "[time]": 1.0,
    "[amount]": 1e9,
    "[volume]": 1.0,
    "[mass]": 1e-3,
    "[length]": 1.0,
}  # from pint's base unit
# What may stand in a unit. pint would also read `mh` as millihours and `ds` as several days: both are typing errors.
SYMBOLS = (
    *("%", "percent", "h", "min", "d", "mg", "ng", "g", "ug", "µg", "μg", "mcg", "pg", "kg"),
    *("nmol", "mol", "pmol", "umol", "µmol", "μmol", "mmol", "nM", "M", "pM", "uM", "µM", "μM", "mM"),
    *("L", "mL", "dL", "uL", "µL", "μL", "l", "ml", "dl", "ul", "m", "cm", "mm"),
    *("hr", "hour", "hours", "minute", "minutes", "s", "second", "seconds"),
    *("day", "days", "week", "weeks", "year", "years"),
)
EXAMPLES = "a unit such as mg, ng/mL, nmol/L, L/h, 1/h, h, min, d, %"
FACTOR = rf"(?:{'|'.join(sorted(map(re.escape, SYMBOLS), key=len, reverse=True))})(?:(?:\^|\*\*)-?[1-9])?"
UNIT_TEXT = re.compile(rf"(?:1|{FACTOR})(?: *[*/·] *{FACTOR}){{0,5}}\Z")
LONGEST_UNIT = 60
WORD = re.compile(r"[^\W\d]\w*|%")
INNER_NUMBER = re.compile(r"(?<![\^*\-\w])[0-9.]+(?=[^\W\d_])")  # the 70 of L/h/70kg
QUANTITY_TEXT = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*\Z", re.S)
OTHER_NUMBER = re.compile(
    r"\s*[-+]?(?:[0-9.]*[0-9][_,'][0-9]|[0-9]+\.[0-9]+\.[0-9]|0[xXbBoO][0-9a-fA-F])"
)  # 1_000, 1,5, 0x10
NOT_FINITE = re.compile(r"\s*[-+]?\.?(?:(?:inf|infinity|nan)\b|∞)", re.I)
QUANTITY_EXAMPLE = "a number with its unit, such as '4.5 mg', or 20.5"
LONGEST_QUANTITY = 100
LARGEST = 1e100  # beyond it a product of two is no float any more


class Dimension(NamedTuple):
    """Exponents of time, amount, volume, mass and length."""

    time: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)
    volume: Fraction = Fraction(0)
    mass: Fraction = Fraction(0)
    length: Fraction = Fraction(0)

    def times(self, other: Dimension, power: Fraction | int = 1) -> Dimension:
        return Dimension(*(mine + theirs * power for mine, theirs in zip(self, other, strict=True)))

    def to_the(self, power: Fraction | int) -> Dimension:
        return DIMENSIONLESS.times(self, power)

    def __str__(self) -> str:
        names = {"amount": "nmol", "mass": "kg", "volume": "L", "length": "m", "time": "h"}
        powers = [(text, getattr(self, name)) for name, text in names.items()]
        above = "*".join(_power(text, power) for text, power in powers if power > 0)
        below = "".join("/" + _power(text, -power) for text, power in powers if power < 0)
        return (above or "1") + below


DIMENSIONLESS = Dimension()


class Unit(NamedTuple):
    """A unit as a factor to the coherent unit of its dimension."""

    factor: float
    dimension: Dimension


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit, as a person wrote them."""

    value: float
    unit: str = "1"

    def __str__(self) -> str:
        number = f"{self.value:.12g}"
        return number if self.unit == "1" else f"{number} {self.unit}"

    @property
    def dimension(self) -> Dimension:
        return parse_unit(self.unit).dimension


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """The unit named by `text`; an LdnsimError names the nearest known unit where there is none."""
    if len(text) > LONGEST_UNIT or not UNIT_TEXT.match(text):
        raise LdnsimError(_unknown_unit(text))
    registry = _registry()
    try:
        pint_unit = registry.parse_units(text.replace("%", "percent").replace("·", "*"))
        factor, dimension = float(registry.get_base_units(pint_unit)[0]), DIMENSIONLESS
        for name, power in registry.get_dimensionality(pint_unit).items():
            factor *= TO_COHERENT[name] ** float(power)
            dimension = dimension.times(Dimension(**{name.strip("[]"): Fraction(power).limit_denominator(12)}))
    except OverflowError:
        factor = math.inf
    if not 1 / LARGEST < factor < LARGEST:
        raise LdnsimError(Fault(f"the unit {text!r} is out of all proportion", expected=EXAMPLES))
    return Unit(factor, dimension)


def parse_quantity(found: object) -> Quantity:
    """`4.5 mg`, `30 %`, `20.5` or a plain number; an LdnsimError says what is wrong with anything else."""
    if isinstance(found, Quantity):
        return found
    if isinstance(found, bool) or not isinstance(found, str | Real):
        raise LdnsimError(Fault(f"{shown(found)} is not a number with a unit", expected=QUANTITY_EXAMPLE))
    if not isinstance(found, str):
        return Quantity(_usable(found, _float(found)))
    if NOT_FINITE.match(found):
        _usable(found, math.inf)
    match = QUANTITY_TEXT.match(found) if len(found) <= LONGEST_QUANTITY else None
    if match is None:
        raise LdnsimError(Fault(f"{shown(found)} is not a number with a unit", expected=QUANTITY_EXAMPLE))
    if OTHER_NUMBER.match(found):
        message = f"{shown(found)} is not a number as it is written here"
        raise LdnsimError(Fault(message, expected="digits and a point, such as 1000 or 4.5"))
    value = _usable(found, float(match[1]))
    unit = match[2] or "1"
    try:
        parse_unit(unit)
    except LdnsimError as caught:
        raise LdnsimError(replace(fault, offset=(0, match.start(2))) for fault in caught.faults) from None
    return Quantity(value, unit)


def coherent(quantity: Quantity, molar_mass: float | None = None) -> float:
    """The quantity as a coherent float. `molar_mass` (g/mol) turns the drug's mass into its amount."""
    factor, to_amount = _factors(quantity.unit, molar_mass)
    return quantity.value * factor * to_amount


@lru_cache(maxsize=4096)
def _factors(unit: str, molar_mass: float | None) -> tuple[float, float]:
    """What makes the unit coherent, and then a drug's mass an amount."""
    known = parse_unit(unit)
    return known.factor, _mass_to_amount(known.dimension, molar_mass)


def declared(unit: str, molar_mass: float | None = None) -> float:
    """How much of the coherent unit one `unit` is: divide coherent floats by it to show them in `unit`."""
    return coherent(Quantity(1.0, unit), molar_mass)


def drug_dimension(dimension: Dimension, of_drug: bool) -> Dimension:
    """The dimension inside: a mass of a drug counts as an amount of it."""
    return dimension._replace(amount=dimension.amount + dimension.mass, mass=Fraction(0)) if of_drug else dimension


def _mass_to_amount(dimension: Dimension, molar_mass: float | None) -> float:
    # 1 kg of a drug is 1e3 g / (M g/mol) = 1e12 / M nmol
    return 1.0 if molar_mass is None or not dimension.mass else (1e12 / molar_mass) ** float(dimension.mass)


@lru_cache(maxsize=1)
def _registry() -> Any:  # pint types its registry in ways that change from one version to the next
    from pint import UnitRegistry  # imported late: it costs a fifth of a second

    registry: Any = UnitRegistry(None)
    registry.load_definitions(DEFINITIONS)
    return registry


def _power(text: str, power: Fraction) -> str:
    return text if power == 1 else f"{text}^{power}"


def _float(found: Real) -> float:
    try:
        return float(found)
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf


def _usable(found: object, value: float) -> float:
    if not math.isfinite(value):
        raise LdnsimError(Fault(f"{shown(found)} is not a finite number", expected="a finite number"))
    if abs(value) >= LARGEST:
        raise LdnsimError(Fault(f"{shown(found)} is too large", expected=f"less than {LARGEST:g}"))
    return value


def _unknown_unit(text: str) -> Fault:
    if len(text) > LONGEST_UNIT:
        return Fault(f"{shown(text)} is no unit", expected=EXAMPLES)
    number = INNER_NUMBER.search(text)
    if number and UNIT_TEXT.match(text[: number.start()] + text[number.end() :]):
        return Fault(
            f"the unit {text!r} holds the number {number[0]}", expected="a unit without numbers, such as L/h/kg"
        )
    # word by word, so that `mgg/mL` is told as `mg/mL` and not as some other common unit
    guess = WORD.sub(lambda word: word[0] if word[0] in SYMBOLS else nearest(word[0], SYMBOLS) or "?", text)
    return Fault(f"unknown unit {text!r}", expected=EXAMPLES, nearest=guess if UNIT_TEXT.match(guess) else "")
