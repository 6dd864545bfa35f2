"""Doses -> events. What a dose means (salt, lag, where its shares go) is applied here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.engine.events import Event, Kind
from ldnsim.system import molar_mass
from ldnsim.units import coherent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np

    from ldnsim.dosing import Dose
    from ldnsim.model import Input, Model
    from ldnsim.system import System

__all__ = ["events_of", "label_molar_mass", "schedules_of"]


def events_of(doses: Iterable[Dose], model: Model, system: System, values: Mapping[str, float]) -> tuple[Event, ...]:
    """The events of a list of doses, ascending in time.

    `values` are one person's parameters (`slot.parameter`, coherent). A dose at once adds to its states; an infusion
    sets their rates, and overlapping infusions add up.
    """
    adds: list[Event] = []
    running: list[tuple[float, float, int, float]] = []  # start, stop, state, nmol/h
    for dose in doses:
        product = model.inputs[dose.input]
        start = dose.time + (values[product.lag] if product.lag else 0.0)
        amount = coherent(dose.amount, label_molar_mass(model, product)) * dose.potency
        for target, share in product.to.items():
            index = system.states.index(target)
            part = amount * (values[share] if isinstance(share, str) else share)
            if dose.infuse:
                running.append((start, start + dose.infuse, index, part / dose.infuse))
            else:
                adds.append(Event(start, Kind.ADD, index, part))
    return tuple(sorted([*adds, *_rates(running)], key=lambda event: (event.time, event.kind, event.index)))


def schedules_of(
    doses: Sequence[tuple[Dose, ...]], model: Model, system: System, parameters: np.ndarray
) -> list[tuple[Event, ...]]:
    """The events of each person, a row of `parameters` (people, parameters); those whose doses (as the same object),
    lags and shares are the same share one tuple.
    """
    inputs = {dose.input for taken in {id(taken): taken for taken in doses}.values() for dose in taken}
    products = [model.inputs[name] for name in sorted(inputs)]
    asked = {name for product in products for name in (product.lag, *product.to.values()) if isinstance(name, str)}
    places = {name: system.parameters.index(name) for name in sorted(asked)}
    made: dict[tuple[int, bytes], tuple[Event, ...]] = {}
    schedules = []
    for taken, row in zip(doses, parameters[:, list(places.values())], strict=True):
        key = id(taken), row.tobytes()
        if key not in made:
            made[key] = events_of(taken, model, system, dict(zip(places, row.tolist(), strict=True)))
        schedules.append(made[key])
    return schedules


def label_molar_mass(model: Model, product: Input) -> float:
    """g/mol of what the label weighs: the salt, or the base."""
    drug = model.drugs[product.drug]
    if product.salt == "base":
        mass = molar_mass(model, product.drug)
        assert mass is not None
        return mass
    return coherent(drug.salts[product.salt]) / coherent(type(drug.molar_mass)(1.0, "g/mol"))


def _rates(running: list[tuple[float, float, int, float]]) -> list[Event]:
    """The total rate into each state wherever it changes: summed anew each time, so that no rounding is left behind."""
    changes = sorted({(edge, index) for start, stop, index, _ in running for edge in (start, stop)})
    return [
        Event(
            time,
            Kind.RATE,
            index,
            sum(rate for start, stop, into, rate in running if into == index and start <= time < stop),
        )
        for time, index in changes
    ]
