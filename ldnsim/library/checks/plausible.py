"""Numbers that a body could hardly have: clearance beyond the liver's blood, volumes, half-lives, shares, ranges.

A reason in the parameter's `plausible` field silences a fault; a reason without one is a fault as well.
Bounds of flows and of the smallest volume are facts of the library; the others are assumed, far beyond any known drug.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault
from ldnsim.foundation.expressions import BUILT_IN
from ldnsim.foundation.units import DIMENSIONLESS, Quantity, coherent, declared, parse_unit
from ldnsim.library.facts import facts_of_library
from ldnsim.scenario.changes import setting_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.library.facts import Fact
    from ldnsim.model.records import Model, Parameter, Part

__all__ = ["implausible_account_values", "implausible_values"]

LIVER_FLOW, CARDIAC_OUTPUT, PLASMA_VOLUME = "ph001", "ph002", "ph003"
LARGEST_VOLUME = 20_000.0  # L; assumed: chloroquine, among the most widely spread of all drugs, is near 14 000 L
SECOND, YEAR = 1 / 3600, 365.25 * 24.0  # h; assumed bounds of half-lives and of rate constants
DIFFUSION = 3600.0  # L/nmol/h, 1e9 per M and s: no association is faster than molecules meet
ROUNDING = 1e-9
SHARES = ("share", "fraction")  # how the description of a share begins
REASON = "a likelier value, or `plausible:` and the reason why it may be so"


def implausible_values(part: Part) -> Iterator[Fault]:
    """Implausible values of a part's parameters and published parameter sets, where no reason is given."""
    for name, parameter in part.parameters.items():
        path = ("parameters", name)
        found = list(chain(_value_faults(name, parameter), _published_set_faults(part, name, parameter)))
        if not parameter.plausible.strip():
            yield from (fault if fault.path[:1] == ("rivals",) else fault.under(*path) for fault in found)
        elif not found:
            message = f"{name} needs no excuse: nothing is implausible about it"
            yield Fault(message, (*path, "plausible"), "no such key", at_key=True)


def implausible_account_values(model: Model) -> Iterator[Fault]:
    """Values of accounts that are outside of their parameter's range."""
    for name, account in model.accounts.items():
        setting = setting_of(model, name)
        for address in account.values.keys() & setting.parameters.keys():
            parameter, value = setting.parameters[address], setting.values[address]
            if not parameter.plausible.strip() and _outside(value, parameter):
                low, high = parameter.range or (value, value)
                yield Fault(
                    f"{value} is outside of the range of {address}",
                    ("accounts", name, "values", address),
                    f"{low} to {high}, or a wider range with its source",
                )


def _value_faults(name: str, parameter: Parameter) -> Iterator[Fault]:
    """Why a parameter's value, or an end of the range of a share, cannot be in a body."""
    if why := _why_implausible(name, parameter, parameter.value):
        yield Fault(f"{name} of {parameter.value}: {why}", ("value",), REASON)
    if _is_share(parameter):
        for index, end in enumerate(parameter.range or ()):
            if not 0 <= coherent(end) <= 1:
                yield Fault(f"the range of a share reaches {end}", ("range", index), "0 to 1")


def _published_set_faults(part: Part, name: str, parameter: Parameter) -> Iterator[Fault]:
    for title, rival in part.rivals.items():
        if name not in rival.values:
            continue
        value, path = rival.values[name], ("rivals", title, name)
        if why := _why_implausible(name, parameter, value):
            yield Fault(f"{name} of {value}: {why}", path, REASON)
        elif not rival.note.strip() and _outside(value, parameter):
            yield Fault(f"{value} is outside of the range of {name}", path, "a `note` of the set that says why")


def _outside(value: Quantity, parameter: Parameter) -> bool:
    """Whether a value is beyond the parameter's range; mixed units are compared by the model."""
    if parameter.range is None or len({value.dimension, *(end.dimension for end in parameter.range)}) > 1:
        return False
    low, high = map(coherent, parameter.range)
    slack = ROUNDING * max(abs(low), abs(high))
    return not low - slack <= coherent(value) <= high + slack


def _is_share(parameter: Parameter) -> bool:
    return parameter.dimension == DIMENSIONLESS and parameter.description.lower().startswith(SHARES)


def _why_implausible(name: str, parameter: Parameter, quantity: Quantity) -> str:
    """What is wrong with a value of a parameter; "" where nothing is."""
    value, dimension = coherent(quantity), parameter.dimension
    if _is_share(parameter):
        return "" if 0 <= value <= 1 else "a share is between 0 and 1"
    if dimension == parse_unit("L/h").dimension:
        return _flow(name, value)
    if dimension == parse_unit("L").dimension:
        least = _bound(PLASMA_VOLUME)
        return _between(value, least, LARGEST_VOLUME, "L", f"plasma is {least:g} L (ph003)")
    if dimension == BUILT_IN["t"] and name.startswith("t_"):
        return _between(value, SECOND, YEAR, "h", "from a second to a year")
    if dimension == parse_unit("1/h").dimension and "rate constant" in parameter.description.lower():
        return _between(value, math.log(2) / YEAR, math.log(2) / SECOND, "1/h", "half-lives from a second to a year")
    by_amount = not quantity.dimension.mass  # only a model knows the molar mass that compares a mass with amounts
    if by_amount and dimension == parse_unit("L/nmol/h").dimension and value > DIFFUSION:
        return f"faster than molecules meet, {DIFFUSION:g} L/nmol/h"
    return ""


def _flow(name: str, value: float) -> str:
    liver, heart = _bound(LIVER_FLOW), _bound(CARDIAC_OUTPUT)
    if value < 0:
        return "a flow is not negative"
    if value > heart:
        return f"more than all the blood that the heart pumps, {heart:g} L/h (ph002)"
    if name.upper().startswith("CL") and value > liver:
        elsewhere = 100 * (1 - liver / value)
        flow = f"more than the blood that flows through the liver, {liver:g} L/h (ph001)"
        return f"{flow}: at least {elsewhere:.0f} % leaves elsewhere"
    return ""


def _between(value: float, low: float, high: float, unit: str, why: str) -> str:
    return "" if low <= value <= high else f"not within {low:.5g} to {high:.5g} {unit}, {why}"


def _bound(id: str) -> float:
    """A fact of physiology in coherent units."""
    fact: Fact = facts_of_library()[id]
    return fact.numbers[0].middle * declared(fact.unit)
