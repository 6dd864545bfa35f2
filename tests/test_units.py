"""Units against numbers worked out by hand, and what is no unit or no number."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.units import (
    DIMENSIONLESS,
    SYMBOLS,
    Dimension,
    Quantity,
    coherent,
    declared,
    drug_dimension,
    parse_quantity,
    parse_unit,
)

NALTREXONE, HYDROCHLORIDE, NALTREXOL = 341.41, 377.86, 343.42  # g/mol


@pytest.mark.parametrize(
    ("text", "molar_mass", "expected"),
    [
        # inside: hours, nmol, litres, kilograms
        ("4.5 mg", NALTREXONE, 13180.633),  # 4.5e-3 g / 341.41 g/mol
        ("4.5 mg", HYDROCHLORIDE, 11909.173),
        ("50 mg", HYDROCHLORIDE, 132324.14),
        ("1 ng/mL", NALTREXONE, 2.9290296),  # nmol/L
        ("0.5 ng/mL", NALTREXONE, 1.4645148),
        ("2.4 ng/mL", NALTREXOL, 6.9885271),
        ("1 ug/L", NALTREXONE, 2.9290296),
        ("1.57 ng/mL", None, 1.57e-9),  # without a drug, a mass stays a mass: kg/L
        ("5 nmol", NALTREXONE, 5),  # an amount needs no molar mass
        ("2 nmol/L", NALTREXONE, 2),
        ("283 mL/min", None, 16.98),  # L/h
        ("150 L/h", None, 150),
        ("30 min", None, 0.5),
        ("28 d", None, 672),
        ("2 weeks", None, 336),
        ("1 year", None, 8766),
        ("90 s", None, 0.025),
        ("1.44 1/h", None, 1.44),
        ("0.024 1/min", None, 1.44),
        ("1 h^-1", None, 1),
        ("3 1/d", None, 0.125),
        ("30 %", None, 0.3),
        ("50 percent", None, 0.5),
        ("70 kg", None, 70),
        ("1.7 nM", None, 1.7),
        ("1.7 uM", None, 1700),
        ("1.7 mmol/L", None, 1.7e6),
        ("341.41 g/mol", None, 3.4141e-10),  # kg/nmol
        ("25 kg/m^2", None, 25),
        ("3 dL", None, 0.3),
        ("20.5", None, 20.5),
    ],
)
def test_quantities_become_coherent_numbers(text, molar_mass, expected):
    assert coherent(parse_quantity(text), molar_mass) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("text", ["5 ug", "5 µg", "5 μg", "5 mcg"])
def test_micrograms_have_many_spellings(text):
    assert coherent(parse_quantity(text)) == pytest.approx(5e-9, rel=1e-12)


@pytest.mark.parametrize("text", ["4.5mg", " 4.5 mg ", "4.5\u00a0mg", "+4.5 mg", "45e-1 mg", "4.50 mg", "4.5E0 mg"])
def test_one_dose_in_many_spellings(text):
    assert parse_quantity(text) == Quantity(4.5, "mg")


@pytest.mark.parametrize("text", ["L/h", "L / h", "l/hr", "L*h^-1", "L*h**-1", "L·h^-1"])
def test_one_clearance_in_many_spellings(text):
    assert parse_unit(text).dimension == Dimension(volume=Fraction(1), time=Fraction(-1))
    assert parse_unit(text).factor == pytest.approx(1)


def test_numbers_are_quantities_without_unit():
    for number in (3, 3.0, np.float64(3), np.float32(3), np.int64(3), Fraction(3)):
        assert parse_quantity(number) == Quantity(3.0)
    assert parse_quantity(Quantity(3, "mg")) == Quantity(3, "mg")


@pytest.mark.parametrize(
    ("unit", "shown"),
    [("ng/mL", "kg/L"), ("nmol/L/h", "nmol/L/h"), ("1", "1"), ("1/h", "1/h"), ("kg/m^2", "kg/m^2"), ("mL/min", "L/h")],
)
def test_dimensions_are_shown_as_coherent_units(unit, shown):
    assert str(parse_unit(unit).dimension) == shown


def test_a_mass_of_a_drug_is_an_amount():
    mass = parse_unit("ng/mL").dimension
    assert drug_dimension(mass, of_drug=True) == parse_unit("nmol/L").dimension
    assert drug_dimension(mass, of_drug=False) == mass
    assert drug_dimension(parse_unit("nmol/L").dimension, of_drug=True) == parse_unit("nmol/L").dimension
    assert drug_dimension(DIMENSIONLESS, of_drug=True) == DIMENSIONLESS


def test_what_was_read_in_a_unit_is_shown_in_it():
    inside = coherent(parse_quantity("1.57 ng/mL"), NALTREXONE)
    assert inside / declared("ng/mL", NALTREXONE) == pytest.approx(1.57, rel=1e-12)


@given(st.floats(-1e90, 1e90).filter(lambda x: x == 0 or abs(x) > 1e-90), st.sampled_from(SYMBOLS))
def test_a_quantity_is_read_as_it_is_shown(value, unit):
    read = parse_quantity(str(Quantity(value, unit)))
    assert read.unit == unit
    assert read.value == pytest.approx(value, rel=1e-11)


@given(st.sampled_from(SYMBOLS), st.sampled_from(SYMBOLS), st.sampled_from("*/"), st.integers(1, 3))
def test_units_multiply_as_their_factors_do(one, other, sign, power):
    first, second = parse_unit(one), parse_unit(other)
    both = parse_unit(f"{one}{sign}{other}^{power}")
    signed = power if sign == "*" else -power
    assert both.factor == pytest.approx(first.factor * second.factor**signed, rel=1e-9)
    assert both.dimension == first.dimension.times(second.dimension, signed)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("mgg", "mg"),
        ("MG", "mg"),
        ("ngg/mL", "ng/mL"),
        ("NG/ML", "ng/mL"),
        ("nmol/Lt", "nmol/L"),
        ("1/hh", "1/h"),
        ("hor", "hour"),
        ("mh", "h"),  # not millihours
        ("ds", "d"),  # not several days
        ("kpercent", "percent"),
        ("IU", ""),
        ("", ""),
        ("1/1", ""),
        ("mg HCl", ""),
        ("mg//mL", ""),
        ("mg^10", ""),
        ("mg^1.5", ""),
        ("__class__", ""),
        ("mg" * 100, ""),
        ("mg*" * 20 + "mg", ""),
    ],
)
def test_what_is_no_unit(text, near):
    with pytest.raises(LdnsimError) as caught:
        parse_unit(text)
    (fault,) = caught.value.faults
    assert fault.nearest == near
    assert "a unit such as" in fault.expected


@pytest.mark.parametrize("text", ["L/h/70kg", "mL/min/1.73m^2", "10mg"])
def test_a_unit_holds_no_number(text):
    with pytest.raises(LdnsimError, match="holds the number"):
        parse_unit(text)


def test_a_unit_out_of_all_proportion():
    with pytest.raises(LdnsimError, match="out of all proportion"):
        parse_unit("mol^9*mol^9*mol^9")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("lots", "not a number with a unit"),
        ("", "not a number with a unit"),
        ("mg", "not a number with a unit"),
        ("mg 4.5", "not a number with a unit"),
        (None, "not a number with a unit"),
        (True, "not a number with a unit"),
        ([4.5], "not a number with a unit"),
        ({"value": 4.5}, "not a number with a unit"),
        (1j, "not a number with a unit"),
        ("9" * 101, "not a number with a unit"),
        ("1_000", "as it is written here"),
        ("1,5 mg", "as it is written here"),
        ("1.000,5 mg", "as it is written here"),
        ("0x10", "as it is written here"),
        ("0b1", "as it is written here"),
        ("1.2.3", "as it is written here"),
        ("inf", "not a finite number"),
        ("-inf mg", "not a finite number"),
        (".inf", "not a finite number"),
        ("nan", "not a finite number"),
        ("NaN mg", "not a finite number"),
        ("∞", "not a finite number"),
        ("1e999 mg", "not a finite number"),
        (math.inf, "not a finite number"),
        (math.nan, "not a finite number"),
        (np.float64("nan"), "not a finite number"),
        pytest.param(10**5000, "not a finite number", id="5000 digits"),
        ("1e100", "too large"),
        (10**150, "too large"),
        ("4.5 mgg", "unknown unit 'mgg'"),
    ],
)
def test_what_is_no_quantity(found, message):
    with pytest.raises(LdnsimError, match=message):
        parse_quantity(found)


def test_the_place_of_a_unit_in_a_quantity():
    with pytest.raises(LdnsimError) as caught:
        parse_quantity("4.5   mgg")
    assert caught.value.faults[0].offset == (0, 6)
