"""Units at the edges: text to coherent floats and back.

Inside, every number is a plain float in one coherent system: hours, nanomoles, litres, kilograms. A mass of a drug is
an amount of it, so `of: naltrexone` turns ng/mL into nmol/L once, here, by the drug's molar mass.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.errors import Fault, LdnsimError, nearest

if TYPE_CHECKING:
    from pint import UnitRegistry

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

# Every unit that a file may use: pint's own definition language, the coherent units first.
DEFINITIONS = """
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = u- = µ- = μ-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
hour = [time] = h = hr
second = hour / 3600 = s
minute = hour / 60 = min
day = 24 * hour = d
week = 7 * day
year = 365.25 * day
mole = [amount] = mol
litre = [volume] = L = l = liter
meter = [length] = m
gram = [mass] = g
molar = mole / litre = M
percent = 0.01
""".strip().splitlines()
TO_COHERENT = {"[time]": 1.0, "[amount]": 1e9, "[volume]": 1.0, "[mass]": 1e-3, "[length]": 1.0}  # from pint's base unit
COMMON = ("1", "%", "h", "min", "d", "1/h", "mg", "ng/mL", "nmol/L", "nmol", "L", "L/h", "mL/min", "kg", "g/mol", "umol/L", "1/min")
UNIT_TEXT = re.compile(r"(?:1|[A-Za-zµμ%]+(?:(?:\^|\*\*)-?[0-9]{1,2})?)(?:[*/.·][A-Za-zµμ%]+(?:(?:\^|\*\*)-?[0-9]{1,2})?){0,6}\Z")
QUANTITY_TEXT = re.compile(r"\s*([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*\Z", re.S)


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
    registry = _registry()
    try:
        if not UNIT_TEXT.match(text):
            raise ValueError(text)
        pint_unit = registry.parse_units(text.replace("%", "percent").replace("·", "*").replace(".", "*"))
    except Exception as cause:  # pint raises several unrelated kinds for text that names no unit
        raise LdnsimError(
            Fault(
                f"unknown unit {_shown(text)}",
                expected="a unit such as " + ", ".join(COMMON[:11]),
                nearest=nearest(text, COMMON),
            )
        ) from cause
    factor, dimension = float(registry.get_base_units(pint_unit)[0]), DIMENSIONLESS
    for name, power in registry.get_dimensionality(pint_unit).items():
        factor *= TO_COHERENT[name] ** float(power)
        exponent = Fraction(power).limit_denominator(12)
        dimension = dimension.times(Dimension(**{name.strip("[]"): exponent}))
    return Unit(factor, dimension)


def parse_quantity(found: object) -> Quantity:
    """`4.5 mg`, `30 %`, `20.5` or a plain number; an LdnsimError says what is wrong with anything else."""
    if isinstance(found, Quantity):
        return found
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise LdnsimError(Fault(f"{_shown(found)} is not a number with a unit", expected="for example '4.5 mg' or 20.5"))
    match = QUANTITY_TEXT.match(str(found)) if len(str(found)) <= 100 else None
    if match is None:
        raise LdnsimError(Fault(f"{_shown(found)} is not a number with a unit", expected="for example '4.5 mg' or 20.5"))
    value = float(match[1])
    if not math.isfinite(value):
        raise LdnsimError(Fault(f"{_shown(found)} is not a finite number", expected="a finite number"))
    unit = match[2] or "1"
    parse_unit(unit)
    return Quantity(value, unit)


def coherent(quantity: Quantity, molar_mass: float | None = None) -> float:
    """The quantity as a coherent float. `molar_mass` (g/mol) turns the drug's mass into its amount."""
    unit = parse_unit(quantity.unit)
    return quantity.value * unit.factor * _mass_to_amount(unit.dimension, molar_mass)


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
def _registry() -> UnitRegistry:
    from pint import UnitRegistry  # imported late: it costs a fifth of a second

    registry = UnitRegistry(None)
    registry.load_definitions(DEFINITIONS)
    return registry


def _power(text: str, power: Fraction) -> str:
    return text if power == 1 else f"{text}^{power}"


def _shown(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "..."
