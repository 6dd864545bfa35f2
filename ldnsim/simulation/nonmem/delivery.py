"""Dose records -> what reaches which state, when: lag, bioavailability, shares, modelled rates and repeats applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.simulation.nonmem.columns import place_of
from ldnsim.simulation.nonmem.targets import MODELLED_DURATION, MODELLED_RATE

if TYPE_CHECKING:
    from ldnsim.model.system import System
    from ldnsim.simulation.nonmem.event_table import Records
    from ldnsim.simulation.nonmem.targets import Target

__all__ = ["Deliveries", "arrivals", "deliveries_of"]

MOST_ARRIVALS = 20_000_000


@dataclass(frozen=True)
class Deliveries:
    """Each share of each dose record: arrays (deliveries,).

    The record's row and the state that the share reaches; amount added at once, or rate (coherent, per h) for `length`
    hours, without end where that is infinite; lag and interval (h); how many more doses follow; whether the record asks
    for a steady state.
    """

    row: np.ndarray
    state: np.ndarray
    amount: np.ndarray
    rate: np.ndarray
    length: np.ndarray
    lag: np.ndarray
    interval: np.ndarray
    more: np.ndarray
    steady: np.ndarray

    def of(self, some: np.ndarray) -> Deliveries:
        return Deliveries(*(getattr(self, name)[some] for name in self.__dataclass_fields__))

    @property
    def infused(self) -> np.ndarray:
        return self.rate > 0

    def first_arrival(self) -> np.ndarray:
        """The number of the earliest dose that matters after the record: 0, or of a steady state a negative one, given
        before and still on its way or running.
        """
        repeats = (self.steady > 0) & (self.interval > 0)
        safe = np.where(repeats, self.interval, 1.0)
        reach = self.lag + np.where(self.infused & repeats, self.length, 0.0)
        first = np.ceil(-reach / safe)
        # by the very numbers that `arrivals` computes, so that no dose is counted twice or lost to rounding
        first = np.where(self.lag + (first - 1) * safe >= 0, first - 1, first)
        late = ~self.infused & (self.lag + first * safe < 0)
        return np.where(repeats, np.where(late, first + 1, first), 0.0)


def deliveries_of(records: Records, system: System) -> Deliveries:
    """Every share of every dose. Shares that bring nothing are left out."""
    pieces = []
    for place, target in enumerate(records.targets):
        doses = np.flatnonzero(records.target == place)
        if len(doses):
            pieces += _of_target(records, system, target, doses)
    if not pieces:
        nothing = np.empty(0)
        none = np.empty(0, np.int64)
        return Deliveries(none, none, *[nothing] * 7)
    return Deliveries(*(np.concatenate(columns) for columns in zip(*pieces, strict=True)))


def _of_target(records: Records, system: System, target: Target, doses: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    rows = records.row[doses]

    def value(name: str, otherwise: float) -> np.ndarray:
        return records.value(system, name, rows) if name else np.full(len(rows), otherwise)

    amount = records.amount[doses] * value(target.bioavailability, 1.0)
    asked, steady, interval = records.rate[doses], records.steady[doses], records.interval[doses]
    timed = asked == MODELLED_DURATION
    if target.slow:
        timed |= (asked == 0) & (value(target.duration, 0.0) > 0)
    infused = timed | (asked != 0)
    rate = np.where(asked == MODELLED_RATE, value(target.rate, 0.0), np.where(asked > 0, asked, 0.0))
    length = np.where(timed, value(target.duration, 1.0), np.divide(amount, rate, where=rate > 0, out=0 * amount))
    np.divide(amount, length, where=timed, out=rate)
    constant = (steady > 0) & (interval == 0)
    length = np.where(constant, np.inf, length)
    lag, pieces = value(target.lag, 0.0), []
    for state, share in target.shares:
        part = share if isinstance(share, float | int) else records.value(system, share, rows)
        brought, running = np.where(infused, 0.0, amount * part), np.where(infused, rate * part, 0.0)
        some = (brought > 0) | ((running > 0) & (length > 0))
        columns = (rows, np.full(len(rows), state), brought, running, length, lag)
        repeated = (interval, records.more[doses], steady)
        pieces.append(tuple(column[some] for column in (*columns, *repeated)))
    return pieces


def arrivals(deliveries: Deliveries, until: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(number of the delivery, hours after the record) of every dose that enters less than `until` hours after it.

    `until` is an array (deliveries,).

    Those of a steady state that were given before and are still on their way are among them, and of infusions those
    that still run. A constant infusion has ended with the record. Raises LdnsimError for more than can be followed.
    """
    first = deliveries.first_arrival()
    apart = deliveries.interval > 0
    enough = np.ceil((until - deliveries.lag) / np.where(apart, deliveries.interval, 1.0))
    last = np.where(apart, np.minimum(deliveries.more, enough), 0.0)
    counts = np.where(np.isinf(deliveries.length), 0.0, np.maximum(0.0, last - first + 1))
    if counts.sum() > MOST_ARRIVALS:
        row = int(deliveries.row[np.argmax(counts)])
        message = f"{counts.sum():.3g} doses in all, {counts.max():.3g} of them from this record"
        raise LdnsimError(Fault(message, place_of(row, "ADDL"), f"at most {MOST_ARRIVALS:.0g}"))
    which = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
    ends = np.cumsum(counts)
    number = np.arange(len(which)) - np.repeat(ends - counts, counts.astype(np.int64)) + first[which]
    return which, deliveries.lag[which] + number * deliveries.interval[which]
