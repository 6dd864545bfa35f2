"""Doses -> events. What a dose means (salt, lag, where its shares go) is applied here, once.

`events_of` says it plainly, for one person; `schedules_of` does the same for many people at once, to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.dosing.regimen import Dose
from ldnsim.engine.events import Event, Kind
from ldnsim.engine.schedules import Schedules, pack
from ldnsim.foundation.units import coherent
from ldnsim.model.system import molar_mass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ldnsim.model.records import Input, Model
    from ldnsim.model.system import System

__all__ = ["Occasions", "events_of", "label_molar_mass", "schedules_of"]


@dataclass(frozen=True)
class Occasions:
    """Parameters that are anew on each occasion: `length` (h), places among the system's parameters, and values
    (people, occasions, places).

    A dose belongs to the occasion in which it is taken: its lag and shares are those of the occasion, and all of the
    occasion's values hold from the start of its first dose on, until the first dose of another one. A dose that is
    still being absorbed at midnight keeps its rate.
    """

    length: float
    places: tuple[int, ...]
    values: np.ndarray

    def of(self, person: int) -> Occasions:
        return Occasions(self.length, self.places, self.values[person : person + 1])


def events_of(
    doses: Iterable[Dose], model: Model, system: System, values: Mapping[str, float], occasions: Occasions | None = None
) -> tuple[Event, ...]:
    """The events of a list of doses, ascending in time.

    `values` are one person's parameters (`slot.parameter`, coherent), `occasions` those of the same person alone. A
    dose at once adds to its states; an infusion sets their rates, and overlapping infusions add up.
    """
    adds: list[Event] = []
    running: list[tuple[float, float, int, float]] = []  # start, stop, state, nmol/h
    begins: dict[int, float] = {}
    for dose in doses:
        now = values
        if occasions is not None:
            number = int(dose.time // occasions.length)
            anew = zip(occasions.places, occasions.values[0, number].tolist(), strict=True)
            now = {**values, **{system.parameters[place]: value for place, value in anew}}
        product = model.inputs[dose.input]
        start = dose.time + (now[product.lag] if product.lag else 0.0)
        amount = coherent(dose.amount, label_molar_mass(model, product)) * dose.potency
        over = dose.infuse or (now[product.over] if product.over else 0.0)
        for target, share in product.to.items():
            index = system.states.index(target)
            part = amount * (now[share] if isinstance(share, str) else share)
            if over:
                running.append((start, start + over, index, part / over))
            else:
                adds.append(Event(start, Kind.ADD, index, part))
        if occasions is not None:
            begins[number] = min(start, begins.get(number, start))
    sets = [
        Event(begins[number], Kind.SET, place, value)
        for number in sorted(begins)
        for place, value in zip(occasions.places, occasions.values[0, number].tolist(), strict=True)  # type: ignore[union-attr]
    ]
    return tuple(sorted([*adds, *_rates(running), *sets], key=lambda event: (event.time, event.kind, event.index)))


def schedules_of(
    doses: Sequence[tuple[Dose, ...]],
    model: Model,
    system: System,
    parameters: np.ndarray,
    occasions: Occasions | None = None,
) -> Schedules:
    """The events of each person, a row of `parameters` (people, parameters); those whose doses (as the same object),
    lags and shares are the same share a stretch of events.
    """
    inputs = {dose.input for taken in {id(taken): taken for taken in doses}.values() for dose in taken}
    products = {name: model.inputs[name] for name in sorted(inputs)}
    asked = sorted({name for product in products.values() for name in product.delivery_parameters})
    delivery = parameters[:, [system.parameters.index(name) for name in asked]]
    first: dict[object, int] = {}  # what makes a schedule -> the first person who has it
    same = [
        first.setdefault((id(taken), row.tobytes(), person if occasions else 0), person)
        for person, (taken, row) in enumerate(zip(doses, delivery, strict=True))
    ]
    people = np.fromiter(first.values(), np.int64)
    place = np.empty(len(doses), np.int64)
    place[people] = np.arange(len(people))
    slow = any(product.over for product in products.values())
    if slow or any(dose.infuse for taken in {id(taken): taken for taken in doses}.values() for dose in taken):
        plain = [_plain(doses[person], model, system, parameters, occasions, person) for person in people.tolist()]
        return pack(plain).of(place[same])
    events = _Together([doses[person] for person in people.tolist()], model, system, parameters[people])
    if occasions is not None:
        occasions = Occasions(occasions.length, occasions.places, occasions.values[people])
    return events.schedules(products, occasions).of(place[same])


def _plain(
    taken: tuple[Dose, ...],
    model: Model,
    system: System,
    parameters: np.ndarray,
    occasions: Occasions | None,
    person: int,
) -> tuple[Event, ...]:
    values = dict(zip(system.parameters, parameters[person].tolist(), strict=True))
    return events_of(taken, model, system, values, occasions.of(person) if occasions else None)


class _Together:
    """Doses of many people one after the other, as arrays (doses,): whose, when, which amount of what, how strong."""

    def __init__(self, taken: Sequence[tuple[Dose, ...]], model: Model, system: System, parameters: np.ndarray) -> None:
        self.model, self.system, self.parameters = model, system, parameters
        self.people = len(taken)
        distinct = {id(doses): doses for doses in taken}  # listed once, however many people take them
        doses = list(chain.from_iterable(distinct.values()))
        columns = dict(zip(Dose._fields, zip(*doses, strict=True), strict=False)) if doses else {}
        kinds: dict[tuple[int, str], int] = {}
        what = zip(map(id, columns.get("amount", ())), columns.get("input", ()), strict=True)
        kind = np.fromiter((kinds.setdefault(key, len(kinds)) for key in what), np.int64)
        amounts = {id(amount): amount for amount in columns.get("amount", ())}
        masses = {name: label_molar_mass(model, model.inputs[name]) for _, name in kinds}
        on_label = np.array([coherent(amounts[amount], masses[name]) for amount, name in kinds])
        names = np.array([name for _, name in kinds], dtype=object)

        counts = np.array([len(doses) for doses in taken], np.int64)
        ends = dict(zip(distinct, np.cumsum([len(doses) for doses in distinct.values()]).tolist(), strict=True))
        first = np.array([ends[id(doses)] - len(doses) for doses in taken], np.int64)
        self.person = np.repeat(np.arange(len(taken)), counts)
        which = np.arange(len(self.person)) - np.repeat(np.cumsum(counts) - counts - first, counts)
        self.time = np.array(columns.get("time", ()), float)[which]
        self.input = names[kind][which]
        self.amount = (on_label[kind] * np.array(columns.get("potency", ()), float))[which]

    def schedules(self, products: Mapping[str, Input], occasions: Occasions | None) -> Schedules:
        number = (self.time // occasions.length).astype(np.int64) if occasions else None
        start = self.time.copy()
        most = max((len(product.to) for product in products.values()), default=1)
        pieces: list[tuple[np.ndarray, ...]] = []  # person, time, kind, index, value, order among equals
        for name, product in products.items():
            here = np.flatnonzero(self.input == name)
            if product.lag:
                start[here] = self.time[here] + self._way(product.lag, here, number, occasions)
            for nth, (target, share) in enumerate(product.to.items()):
                way = self._way(share, here, number, occasions) if isinstance(share, str) else share
                piece = (
                    self.person[here],
                    start[here],
                    np.full(len(here), int(Kind.ADD)),
                    np.full(len(here), self.system.states.index(target)),
                    self.amount[here] * way,
                    here * most + nth,
                )
                pieces.append(piece)
        if occasions is not None and number is not None:
            pieces += self._sets(start, number, occasions)
        return _in_order(self.people, pieces)

    def _way(self, name: str, here: np.ndarray, number: np.ndarray | None, occasions: Occasions | None) -> np.ndarray:
        """A parameter as the doses `here` meet it."""
        place = self.system.parameters.index(name)
        if occasions is not None and number is not None and place in occasions.places:
            return np.asarray(occasions.values[self.person[here], number[here], occasions.places.index(place)])
        return np.asarray(self.parameters[self.person[here], place])

    def _sets(self, start: np.ndarray, number: np.ndarray, occasions: Occasions) -> list[tuple[np.ndarray, ...]]:
        """What is new from the first dose of each occasion on."""
        count = occasions.values.shape[1]
        which, place = np.unique(self.person * count + number, return_inverse=True)
        begins = np.full(len(which), np.inf)
        np.minimum.at(begins, place, start)
        person, occasion = which // count, which % count
        return [
            (
                person,
                begins,
                np.full(len(which), int(Kind.SET)),
                np.full(len(which), index),
                occasions.values[person, occasion, nth],
                occasion,
            )
            for nth, index in enumerate(occasions.places)
        ]


def _in_order(people: int, pieces: Sequence[tuple[np.ndarray, ...]]) -> Schedules:
    """Events of all people, each person's ascending in time, kind and index; equal ones as they were taken."""
    if not pieces:
        nobody, none = np.zeros(people, np.int64), np.empty(0)
        return Schedules(nobody, nobody, none, none.astype(np.int64), none.astype(np.int64), none)
    person, time, kind, index, value, order = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    rank = np.lexsort((order, index, kind, time, person))
    ends = np.cumsum(np.bincount(person, minlength=people))
    first = np.append(0, ends[:-1])
    return Schedules(first, ends, time[rank], kind[rank].astype(np.int64), index[rank].astype(np.int64), value[rank])


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
