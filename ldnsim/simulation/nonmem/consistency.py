"""Records that contradict each other, themselves or the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.errors import MOST_FAULTS, Fault
from ldnsim.simulation.nonmem.columns import faults_at, place_of
from ldnsim.simulation.nonmem.targets import MODELLED_DURATION, MODELLED_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.model.system import System
    from ldnsim.simulation.nonmem.event_table import Records

__all__ = ["dose_faults", "order_faults", "way_faults"]


def order_faults(records: Records) -> Iterator[Fault]:
    """Records without a time, and times that go back."""
    time, person = records.time, records.person
    yield from faults_at(np.flatnonzero(np.isnan(time)), "TIME", "a record without a time", "hours")
    back = 1 + np.flatnonzero(time[1:] < time[:-1])
    yield from faults_at(
        back[(person[back] == person[back - 1]) & ~records.reset[back]],
        "TIME",
        lambda row: f"time goes back from {time[row - 1]:.12g} to {time[row]:.12g} h",
        "ascending times within an individual (only a reset, EVID 3 or 4, may go back)",
    )


def dose_faults(records: Records, dose: dict[str, np.ndarray]) -> Iterator[Fault]:
    """Doses whose columns contradict each other."""
    amt, rate, interval, more, steady = dose["AMT"], dose["RATE"], records.interval, records.more, records.steady
    for column, found in dose.items():
        modelled = (found == MODELLED_RATE) | (found == MODELLED_DURATION) if column == "RATE" else False
        expected = "a number that is not negative" + (
            ", or -1 or -2: the model's own rate or duration" if column == "RATE" else ""
        )
        negative = records.row[(found < 0) & ~np.asarray(modelled)]
        yield from faults_at(negative, column, f"{column} is negative", expected)
    given = (rate > 0) | (rate == MODELLED_RATE)
    none = np.isnan(amt) | (amt == 0)
    constant = (steady > 0) & (interval == 0) & given & none
    checks: list[tuple[np.ndarray, str, str, str]] = [
        (np.isnan(amt) & ~constant, "AMT", "a dose without an amount", "AMT"),
        (
            given & (amt == 0) & (steady == 0),
            "AMT",
            "an infusion of nothing",
            "AMT; 0 only with SS and no II: an infusion that has gone on for ever",
        ),
        ((more > 0) & (interval == 0), "II", "ADDL without II", "the hours between doses"),
        (
            (interval > 0) & (more == 0) & (steady == 0),
            "II",
            "II with neither ADDL nor SS: an interval between nothing",
            "ADDL or SS, or no II",
        ),
        (
            (steady > 0) & (interval == 0) & (more == 0) & ~constant,
            "II",
            "SS without II",
            "the hours between doses; none with AMT 0 and a RATE: a constant infusion",
        ),
        ((steady > 0) & (interval > 0) & given & none, "AMT", "an infusion of nothing at an interval", "AMT, or no II"),
    ]
    for bad, column, what, expected in checks:
        yield from faults_at(records.row[bad], column, what, expected)


def way_faults(records: Records, system: System) -> Iterator[Fault]:
    """Rates and durations that the model does not have, and values of parameters that no dose can have."""
    for place, target in enumerate(records.targets):
        mine = records.target == place
        if not mine.any():
            continue
        for code, field in ((MODELLED_RATE, "rate"), (MODELLED_DURATION, "duration")):
            asking = records.row[mine & (records.rate == code)]
            name = getattr(target, field)
            if name:
                yield from _value_faults(records, system, name, asking, f"a {field} above 0", least=np.nextafter(0, 1))
            else:
                message = f"RATE {code:g}, but the model gives {target.name} no {field}"
                yield from faults_at(asking, "RATE", message, f"a RATE, or a {field} in the model")
        for field in ("lag", "bioavailability"):
            name = getattr(target, field)
            if name:
                expected = f"a {field} that is not negative"
                yield from _value_faults(records, system, name, records.row[mine], expected, least=0.0)


def _value_faults(
    records: Records, system: System, name: str, rows: np.ndarray, expected: str, *, least: float
) -> Iterator[Fault]:
    values = records.value(system, name, rows)
    for place in np.flatnonzero(~(values >= least))[:MOST_FAULTS].tolist():
        yield Fault(f"{name} is {values[place]:.6g} for this dose", place_of(int(rows[place])), expected)
