"""The uncertainty of a scenario held against its model, and its draws as settings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, nearest, shown
from ldnsim.foundation.random_streams import generator
from ldnsim.foundation.units import Quantity, coherent, declared, drug_dimension
from ldnsim.model.settings import RIVALS, Setting, qualified
from ldnsim.model.system import molar_mass
from ldnsim.model.variability import NotTogether, mixing, normals

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ldnsim.foundation.fields import Change
    from ldnsim.model.records import Model, Parameter
    from ldnsim.scenario.population import Population
    from ldnsim.scenario.uncertainty import StoredFit, Uncertainty

__all__ = ["resolve_uncertainty", "settings_of_draw"]

ROUNDING = 1e-9
Path = tuple[str | int, ...]


def resolve_uncertainty(
    model: Model,
    uncertainty: Uncertainty,
    settings: Sequence[Setting],
    population: Population | None,
    changes: Mapping[str, Change],
) -> tuple[Uncertainty, tuple[Setting, ...], list[Fault]]:
    """The uncertainty with qualified addresses, the settings with a fit's estimates in them, and all that is wrong.

    Paths start at the scenario.
    """
    known = {name: record for setting in settings for name, record in setting.parameters.items()}
    given = population.given if population else frozenset()
    faults: list[Fault] = []
    fitted = {qualified(name, settings): name for name in uncertainty.fit.order} if uncertainty.fit else {}
    if not uncertainty.parameters and uncertainty.fit is None:
        expected = "parameters: [plasma.F], or fit: fit.json"
        faults.append(Fault("nothing is said to be uncertain", ("uncertainty",), expected, at_key=True))
    names: dict[str, str] = {}
    for index, address in enumerate(uncertainty.parameters):
        path: Path = ("uncertainty", "parameters", index)
        name = qualified(address, settings)
        records = [setting.parameters[name] for setting in settings if name in setting.values]
        fault = _address_fault(address, name, known, path) or _range_fault(name, records, fitted, given, path)
        if fault is None and name in names:
            fault = Fault(f"{names[name]!r} and {address!r} are the same parameter", path, "each of them once")
        if fault is None:
            faults += _range_faults(model, name, settings, path)
        names.setdefault(name, address)
        faults += [fault] if fault else []
    if uncertainty.fit is not None:
        faults += _fit_faults(model, uncertainty.fit, settings, known, given)
    for address in changes:
        if qualified(address, settings) in fitted:
            message = f"{address} moves nothing: the fit says what it is"
            faults.append(Fault(message, ("changes", address), "a parameter that it does not hold", at_key=True))
    fit = uncertainty.fit
    if fit is not None and not faults:
        estimates = {qualified(name, settings): fit.parameters[name].value for name in fit.order}
        accounts = _accounts_of(fit, settings)
        settings = tuple(_with(setting, estimates if setting.account in accounts else {}) for setting in settings)
        order = tuple(qualified(name, settings) for name in fit.order)
        fit = fit.model_copy(
            update={
                "order": order,
                "parameters": {qualified(name, settings): estimate for name, estimate in fit.parameters.items()},
            }
        )
    whole = uncertainty.model_copy(update={"parameters": tuple(names), "fit": fit})
    return whole, tuple(settings), faults


def settings_of_draw(
    model: Model, uncertainty: Uncertainty, settings: Sequence[Setting], draw: int
) -> tuple[Setting, ...]:
    """The settings with what is uncertain drawn; draws count from 1. Both are as `resolve` has them."""
    together: dict[str, float] = {}
    fit = uncertainty.fit
    if fit is not None:
        order, rows = mixing(_correlations(fit))
        z = [_normal(uncertainty.seed, name, draw) for name in order]
        for name, row in zip(order, rows, strict=True):
            at = fit.order.index(name)
            number = math.fsum(a * b for a, b in zip(row, z, strict=False))
            together[name] = math.exp(math.sqrt(fit.covariance_log[at][at]) * number)
    drawn = []
    accounts = _accounts_of(fit, settings) if fit is not None else set()
    for setting in settings:
        own = {
            name: factor for name, factor in together.items() if name in setting.values and setting.account in accounts
        }
        values = {name: _times(setting.values[name], factor) for name, factor in own.items()}
        for name in uncertainty.parameters:
            if name in setting.values:
                record = setting.parameters[name]
                rank = float(generator(uncertainty.seed, f"uncertainty.{name}", draw).random())
                values[name] = _ranked(record, setting.values[name], molar_mass(model, record.of), rank)
        drawn.append(_with(setting, values))
    return tuple(drawn)


def _accounts_of(fit: StoredFit, settings: Sequence[Setting]) -> set[str]:
    """The accounts that a fit is about: its own where that is compared, else all: it may be called otherwise."""
    names = {setting.account for setting in settings}
    return names & {fit.account} or names


def _with(setting: Setting, values: Mapping[str, Quantity]) -> Setting:
    own = {name: value for name, value in values.items() if name in setting.values}
    return replace(setting, values={**setting.values, **own})


def _times(value: Quantity, factor: float) -> Quantity:
    return Quantity(value.value * factor, value.unit)


def _normal(seed: int, name: str, draw: int) -> float:
    return float(normals(seed, f"uncertainty.{name}", range(draw, draw + 1))[0])


def _ranked(record: Parameter, value: Quantity, mass: float | None, rank: float) -> Quantity:
    """The value at a rank of 0 to 1: the ends of the range at 0 and 1, the stated value at a half."""
    assert record.range
    low, middle, high = (coherent(quantity, mass) for quantity in (record.range[0], value, record.range[1]))
    start, end, share = (low, middle, 2 * rank) if rank < 0.5 else (middle, high, 2 * rank - 1)
    found = start * (end / start) ** share if low > 0 else start + (end - start) * share
    return Quantity(found / declared(value.unit, mass), value.unit)


def _address_fault(address: str, name: str, known: Mapping[str, Parameter], path: Path) -> Fault | None:
    if name in known:
        return None
    if name.endswith("." + RIVALS):
        return Fault(f"{address}: rival sets are no range", path, "a parameter, or an axis of a sweep for the sets")
    near = nearest(address, [*known, *(other.split(".")[1] for other in known)])
    return Fault(f"{shown(address)} names no parameter", path, "a parameter of the accounts compared", near)


def _range_fault(
    name: str, records: Sequence[Parameter], fitted: Mapping[str, str], given: Collection[str], path: Path
) -> Fault | None:
    """Why a parameter cannot be drawn from its range; or None."""
    if name in fitted:
        return Fault(f"{name} is drawn with the fit's covariance", path, "parameters that the fit does not hold")
    if name in given:
        return Fault(f"{name} moves nothing: the population says what it is", path, "a parameter that it does not give")
    if any(record.range is None or record.range[0] == record.range[1] for record in records):
        return Fault(f"{name} has no range to draw from", path, "a parameter with a range")
    return None


def _range_faults(model: Model, name: str, settings: Sequence[Setting], path: Path) -> Iterator[Fault]:
    for setting in settings:
        if name not in setting.values:
            continue
        record = setting.parameters[name]
        assert record.range
        mass = molar_mass(model, record.of)
        low, value, high = (coherent(q, mass) for q in (record.range[0], setting.values[name], record.range[1]))
        if not low * (1 - ROUNDING) <= value <= high * (1 + ROUNDING):
            ends = f"{record.range[0]} to {record.range[1]}"
            message = f"{name} is {setting.values[name]} in {setting.account}, outside of its range"
            yield Fault(message, path, f"a value from {ends}")
            return


def _correlations(fit: StoredFit) -> list[tuple[str, str, float]]:
    """Correlations of what varies, each with itself first: that it is drawn even where it stands alone."""
    sd = {name: math.sqrt(fit.covariance_log[i][i]) for i, name in enumerate(fit.order)}
    varying = [(i, name) for i, name in enumerate(fit.order) if sd[name]]
    pairs = [
        (name, other, fit.covariance_log[i][j] / (sd[name] * sd[other]))
        for i, name in varying
        for j, other in varying
        if j < i
    ]
    return [(name, name, 1.0) for _, name in varying] + pairs


def _fit_faults(
    model: Model, fit: StoredFit, settings: Sequence[Setting], known: Mapping[str, Parameter], given: Collection[str]
) -> Iterator[Fault]:
    path: Path = ("uncertainty", "fit")
    size = len(fit.order)
    for name in fit.order:
        full = qualified(name, settings)
        if name not in fit.parameters:
            yield Fault(f"the fit holds no value of {name!r}", path, "one in parameters", nearest(name, fit.parameters))
        elif full not in known:
            near = nearest(name, known)
            yield Fault(f"the fit speaks of {shown(name)}, which names no parameter", path, "slot.parameter", near)
        elif full in given:
            yield Fault(f"the population says what {name} is, not the fit", path, "a parameter that it does not give")
        else:
            value, record = fit.parameters[name].value, known[full]
            if drug_dimension(value.dimension, record.of is not None) != record.dimension:
                yield Fault(f"the fit has {name} = {value}", path, f"a value in {record.value.unit}")
            elif value.value <= 0:
                yield Fault(f"the fit has {name} = {value}", path, "more than 0: its logarithm is drawn")
    if not size or len(set(fit.order)) < size:
        yield Fault("the order of the fit is empty, or names something twice", path, "each parameter once")
        return
    rows = fit.covariance_log
    if len(rows) != size or any(len(row) != size for row in rows):
        yield Fault(f"the covariance of the fit is no matrix of {size} by {size}", path, "a row per parameter of order")
        return
    if not all(math.isfinite(entry) for row in rows for entry in row) or any(rows[i][i] < 0 for i in range(size)):
        yield Fault("the covariance of the fit has a variance below 0, or no number", path, "variances of 0 or more")
        return
    uneven = next(((i, j) for i in range(size) for j in range(i) if abs(rows[i][j] - rows[j][i]) > ROUNDING), None)
    if uneven:
        names = " and ".join(fit.order[at] for at in uneven)
        yield Fault(f"the covariance of {names} is not symmetric", path, "the same number on both sides")
        return
    try:
        mixing(_correlations(fit))
    except NotTogether as caught:
        message = f"the covariance of {' and '.join(caught.pair)} cannot be together with the others"
        yield Fault(message, path, "a positive definite matrix")
