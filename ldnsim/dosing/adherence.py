"""What a person makes of a plan: doses missed, moved, and stronger or weaker than the label says.

All draws belong to the seed, the number of the line, and the occasion, bottle or tablet that they are about. So arms
miss the same doses, even where one leaves out a day, and subject 17 is the same person in any population.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ldnsim.dosing.regimen import Dose, line_doses, missed_on
from ldnsim.foundation.fields import hours
from ldnsim.foundation.random_streams import generator
from ldnsim.foundation.units import coherent

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Arm, RegimenLine
    from ldnsim.foundation.units import Quantity

__all__ = ["given_doses", "missed_doses"]

Floats = NDArray[np.float64]
FARTHEST = 3.0  # standard deviations of jitter
LEFT_AT_T90 = 0.9


def given_doses(
    arm: Arm, duration: float, start_day: str, seed: int, subjects: Iterable[int]
) -> list[tuple[Dose, ...]]:
    """The doses that each person takes before `duration` (h), ascending in time; one and the same tuple for all where
    nothing is drawn. Nothing is taken before the start.
    """
    plans = [_plan(number, line, duration, start_day) for number, line in enumerate(arm.regimen, start=1)]
    people = list(subjects)
    drawn = any(line.drawn for line in arm.regimen)
    taken = [
        tuple(sorted((dose for plan in plans for dose in plan.taken(seed, person)), key=lambda dose: dose.time))
        for person in (people if drawn else people[:1])
    ]
    return taken if drawn else taken * len(people)


def missed_doses(
    arm: Arm, duration: float, start_day: str, seed: int, subjects: Iterable[int]
) -> list[tuple[Dose, ...]]:
    """The doses that each person was to take and does not, at their planned times, ascending."""
    plans = [_plan(number, line, duration, start_day) for number, line in enumerate(arm.regimen, start=1)]
    known = [dose for line in arm.regimen for _, dose in missed_on(line, duration, start_day)]
    found = []
    for person in subjects:
        left = known + [dose for plan in plans for dose in plan.missed(seed, person)]
        found.append(tuple(sorted(left, key=lambda dose: dose.time)))
    return found


class _PlannedDoses(NamedTuple):
    """A line's doses, listed once for all people."""

    number: int
    line: RegimenLine
    doses: tuple[Dose, ...]
    occasions: NDArray[np.intp]
    times: Floats
    duration: float

    def taken(self, seed: int, person: int) -> list[Dose]:
        line = self.line
        if not self.doses or not (line.drawn or line.bottle):
            return list(self.doses)
        keep = ~self._left_out(seed, person)
        times = self.times
        if line.jitter:
            normal = self._stream("jitter", seed, person).standard_normal(self._drawn)[self.occasions]
            times = np.maximum(0.0, times + hours(line.jitter) * np.clip(normal, -FARTHEST, FARTHEST))
            keep &= times < self.duration
        kept = np.flatnonzero(keep)
        kept = kept[np.argsort(times[kept], kind="stable")]  # bottles and tablets are used up in this order
        strength = self._strength(kept, times[kept], seed, person)
        return [
            dose._replace(time=time, potency=factor, late=dose.late + time - dose.time)
            for dose, time, factor in zip(
                (self.doses[index] for index in kept), times[kept].tolist(), strength.tolist(), strict=True
            )
        ]

    def missed(self, seed: int, person: int) -> list[Dose]:
        left = np.flatnonzero(self._left_out(seed, person))
        planned = ((self.doses[index], self.doses[index].late) for index in left)
        return [dose._replace(time=dose.time - late, late=0.0) for dose, late in planned]

    def _left_out(self, seed: int, person: int) -> NDArray[np.bool_]:
        if not self.line.miss or not self.doses:
            return np.zeros(len(self.doses), dtype=bool)
        uniform = self._stream("miss", seed, person).random(self._drawn)
        return np.asarray(uniform[self.occasions] < coherent(self.line.miss))

    def _strength(self, kept: NDArray[np.intp], times: Floats, seed: int, person: int) -> Floats:
        """What is in each dose taken, as a share of the label; `kept` and `times` (m,) in the order of taking."""
        line, order = self.line, np.arange(len(kept))
        strength = np.ones(len(kept))
        if line.potency:
            # the halves of a tablet are as strong as the tablet
            which = order // line.split.pieces if line.split else self.occasions[kept]
            strength *= self._uniform("potency", line.potency, which, seed, person)
        if line.split:
            strength *= self._pieces(len(kept), seed, person)
        if line.bottle and len(kept):
            which = order // line.bottle.holds
            if line.bottle.potency:
                strength *= self._uniform("bottle", line.bottle.potency, which, seed, person)
            if line.bottle.t90:
                opened = times[which * line.bottle.holds]
                strength *= LEFT_AT_T90 ** ((times - opened) / hours(line.bottle.t90))
        return strength

    def _pieces(self, count: int, seed: int, person: int) -> Floats:
        """The weight of each of `count` pieces over that of an even one; those of a tablet add up to its weight.

        A tablet's shares are Dirichlet, symmetric, with the CV asked for: positive, and with n pieces of a correlation
        of -1/(n - 1). They come from gammas by inversion, so that a tablet takes the same numbers for any CV.
        """
        from scipy.special import gammaincinv  # imported late: most runs split nothing

        assert self.line.split
        n, cv = self.line.split.pieces, coherent(self.line.split.cv)
        if not cv:
            return np.ones(count)
        uniform = self._stream("split", seed, person).random((-(-count // n), n))
        weights = gammaincinv(((n - 1) / cv**2 - 1) / n, uniform)
        return np.asarray((n * weights / weights.sum(axis=1, keepdims=True)).ravel()[:count])

    def _uniform(
        self, name: str, ends: tuple[Quantity, Quantity], which: NDArray[np.intp], seed: int, person: int
    ) -> Floats:
        low, high = map(coherent, ends)
        drawn = self._stream(name, seed, person).uniform(low, high, int(which.max(initial=-1)) + 1)
        return np.asarray(drawn[which])

    @property
    def _drawn(self) -> int:
        """How many occasions are drawn for: those that the plan leaves out, too."""
        return int(self.occasions[-1]) + 1

    def _stream(self, name: str, seed: int, person: int) -> np.random.Generator:
        return generator(seed, f"regimen.{self.number}.{name}", person)


def _plan(number: int, line: RegimenLine, duration: float, start_day: str) -> _PlannedDoses:
    listed = list(line_doses(line, duration, start_day))
    doses = tuple(dose for _, dose in listed)
    occasions = np.array([occasion for occasion, _ in listed], dtype=np.intp)
    return _PlannedDoses(number, line, doses, occasions, np.array([dose.time for dose in doses]), duration)
