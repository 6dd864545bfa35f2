"""Doses whose parameters differ from one occasion to the next, as records.

An occasion's values hold from the start of its first dose on; a record's values hold over the interval that ends at it.
So records of no dose (EVID 2) stand where the values before a change end: at the dose, which meets its own occasion's
values already, and where it starts to enter after its lag. One at the end of the run tells those that hold since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ldnsim.dosing.events import Occasions
    from ldnsim.dosing.regimen import Dose

__all__ = ["Stage", "stages_of"]


class Stage(NamedTuple):
    """A record: when (h), the dose or None, and the values that differ between occasions, as it tells them."""

    time: float
    dose: Dose | None
    values: tuple[float, ...]


def stages_of(
    doses: Sequence[Dose],
    occasions: Occasions,
    before: tuple[float, ...],
    lag_of: Callable[[Dose, tuple[float, ...]], float],
    end: float,
) -> Iterator[Stage]:
    """The records of one person (whose `occasions` alone these are), ascending in time. `before`: the values until the
    first dose starts; `lag_of` tells a dose's lag (h) under an occasion's values; `end` of the run (h).
    """
    numbers = [int(dose.time // occasions.length) for dose in doses]
    told = {number: tuple(occasions.values[0, number].tolist()) for number in numbers}
    begins: dict[int, float] = {}
    for dose, number in zip(doses, numbers, strict=True):
        start = dose.time + lag_of(dose, told[number])
        begins[number] = min(start, begins.get(number, start))
    changes = sorted((time, number) for number, time in begins.items())

    def until(time: float) -> tuple[float, ...]:
        """The values over the interval that ends at this time."""
        past = [number for begin, number in changes if begin < time]
        return told[past[-1]] if past else before

    found = [(time, 0, Stage(time, None, until(time))) for time, _ in changes]
    for dose, number in zip(doses, numbers, strict=True):
        if until(dose.time) != told[number]:
            found.append((dose.time, 0, Stage(dose.time, None, until(dose.time))))
        found.append((dose.time, 1, Stage(dose.time, dose, told[number])))
    found.append((end, 2, Stage(end, None, until(end))))
    yield from dict.fromkeys(stage for _, _, stage in sorted(found, key=lambda item: item[:2]))
