"""What a run must keep to, whatever it was changed to: a window within it, a bounded number of samples and doses, and
doses that the model can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.dosing.regimen import DAY, WEEK, count_doses, line_doses, weeks_apart
from ldnsim.foundation.errors import Fault, listed, nearest
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import DIMENSIONLESS, coherent, parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ldnsim.dosing.regimen import Arm, RegimenLine
    from ldnsim.foundation.units import Quantity
    from ldnsim.model.records import Model

__all__ = ["AMOUNT", "MASS", "arm_faults", "line_faults", "time_faults"]

MOST_SAMPLES = 200_000
MOST_DOSES = 20_000  # in one arm
MOST_DOSES_IN_ALL = 50_000
MOST_LISTED = 500  # of one line, where many lines are looked at
MOST_LINES = 500  # in all arms
AMOUNT = parse_unit("nmol").dimension
MASS = parse_unit("kg").dimension
LARGEST_SPLIT_CV = 0.5


def time_faults(
    duration: Quantity, window: tuple[Quantity, Quantity] | None, sample: Quantity | None
) -> Iterator[Fault]:
    """Samples and metrics within the run. Paths start at the scenario."""
    end = hours(duration)
    samples = end / (hours(sample) if sample else 1.0)
    if samples > MOST_SAMPLES:
        yield Fault(f"{_number(samples)} samples", ("sample",), f"at most {MOST_SAMPLES}")
    if window is not None:
        start, stop = (coherent(edge) for edge in window)
        if not 0 <= start < stop <= end:
            message = f"the window from {start:g} h to {stop:g} h does not lie in the run"
            yield Fault(message, ("window",), f"start before end, within 0 h and {end:g} h")


def arm_faults(
    arms: Mapping[str, Arm], model: Model, duration: Quantity, start_day: str, *, as_written: bool
) -> Iterator[Fault]:
    """Regimens that can be taken. Paths start at the scenario.

    Days that are missed or late must have a dose in what is written in a file; a change may well leave them without.
    """
    if sum(len(arm.regimen) for arm in arms.values()) > MOST_LINES:
        yield Fault("too many regimen lines", ("arms",), f"at most {MOST_LINES} in all", at_key=True)
        return
    in_all = 0.0
    for name, arm in arms.items():
        counts = []
        for index, line in enumerate(arm.regimen):
            path = ("arms", name, "regimen", index)
            yield from (fault.under(*path) for fault in _line_faults(line))
            yield from (fault.under(*path) for fault in _input_faults(line, model))
            counts.append(count_doses(line, hours(duration)))
        if sum(counts) > MOST_DOSES:
            most = counts.index(max(counts))
            path = ("arms", name, "regimen", most, *(("every",) if arm.regimen[most].every else ()))
            yield Fault(f"{_number(sum(counts))} doses", path, f"at most {MOST_DOSES} in an arm")
            continue
        in_all += sum(counts)
        for index, line in enumerate(arm.regimen):
            if counts[index] and in_all <= MOST_DOSES_IN_ALL:
                path = ("arms", name, "regimen", index)
                yield from (fault.under(*path) for fault in _timing_faults(line, duration, start_day, as_written))
    if in_all > MOST_DOSES_IN_ALL:
        yield Fault(f"{_number(in_all)} doses in all arms", ("arms",), f"at most {MOST_DOSES_IN_ALL}", at_key=True)


def line_faults(line: RegimenLine, model: Model, duration: Quantity, start_day: str) -> Iterator[Fault]:
    """What is wrong with one line that was changed. Paths start at the line."""
    yield from _line_faults(line)
    yield from _input_faults(line, model)
    count = count_doses(line, hours(duration))
    if count > MOST_DOSES:
        yield Fault(f"{_number(count)} doses", ("every",), f"at most {MOST_DOSES} in an arm")
    elif count <= MOST_LISTED:
        yield from _timing_faults(line, duration, start_day, as_written=False)


def _number(count: float) -> str:
    return f"{count:,.0f}" if count < 1e12 else f"{count:.3g}"


def _input_faults(line: RegimenLine, model: Model) -> Iterator[Fault]:
    if line.input not in model.inputs:
        message = f"model {model.name} has no input {line.input!r}"
        yield Fault(message, ("input",), listed(model.inputs), nearest(line.input, model.inputs))


def _line_faults(line: RegimenLine) -> Iterator[Fault]:
    """What does not depend on the run."""
    yield from _amount_faults(line)
    if line.until is not None and line.until < line.from_:
        message = f"until day {line.until} is before from day {line.from_}"
        yield Fault(message, ("until",), f"day {line.from_} or later")
    for index, clock in enumerate(line.at):
        if clock in line.at[:index]:
            yield Fault("the same clock time twice", ("at", index), "each time once")
    if line.every and len(line.at) > 1 and (hours(line.every) / DAY) % 1:
        message = f"every {line.every} with several clock times"
        yield Fault(message, ("every",), "whole days, or one clock time")
    elif weeks_apart(line) % 1:
        expected = f"whole weeks ({WEEK} d, {2 * WEEK} d, ...), at most a day, or no days of the week"
        yield Fault(f"every {line.every} on some days of the week", ("every",), expected)
    yield from _strength_faults(line)


def _strength_faults(line: RegimenLine) -> Iterator[Fault]:
    bottle, split = line.bottle, line.split
    for path, ends in ((("potency",), line.potency), (("bottle", "potency"), bottle.potency if bottle else None)):
        if ends is not None:
            low, high = ends
            if low.dimension != DIMENSIONLESS or high.dimension != DIMENSIONLESS or coherent(low) > coherent(high):
                yield Fault("potency is no range of shares", path, "[90 %, 110 %]")
    if bottle and bottle.potency is None and bottle.t90 is None:
        expected = "potency: [90 %, 110 %], t90: 60 d, or both"
        yield Fault("the bottle changes nothing", ("bottle",), expected, at_key=True)
    if split and coherent(split.cv) > LARGEST_SPLIT_CV:
        message = f"pieces of a tablet with a CV of {split.cv}"
        yield Fault(message, ("split", "cv"), f"at most {LARGEST_SPLIT_CV * 100:g} %")


def _amount_faults(line: RegimenLine) -> Iterator[Fault]:
    if (line.dose is None) == (not line.ladder):
        both = "a dose and a ladder" if line.ladder else "neither a dose nor a ladder"
        expected = "one of dose: 4.5 mg and ladder: {day 1: 1.5 mg, day 8: 3 mg}"
        yield Fault(f"the line has {both}", (), expected, at_key=True)
    amounts: dict[tuple[str | int, ...], Quantity] = {("ladder", f"day {d}"): dose for d, dose in line.ladder.items()}
    if line.dose is not None:
        amounts[("dose",)] = line.dose
    for path, amount in amounts.items():
        if amount.dimension not in (MASS, AMOUNT):
            yield Fault(f"{amount} is not a dose", path, "a mass or an amount, such as 4.5 mg")


def _timing_faults(line: RegimenLine, duration: Quantity, start_day: str, as_written: bool) -> Iterator[Fault]:
    """A line that gives doses, and on the days that it speaks of."""
    if line.until is not None and line.until < line.from_:
        return
    if not as_written or not (line.missed or line.late):
        if next(line_doses(line, hours(duration), start_day), None) is None:
            yield Fault("this line gives no dose within the run", (), f"a time within {duration}", at_key=True)
        return
    plain = line.model_copy(update={"missed": (), "late": {}})
    times = {int(dose.time // DAY) + 1: dose.time for _, dose in line_doses(plain, hours(duration), start_day)}
    if not times.keys() - set(line.missed):
        yield Fault("this line gives no dose within the run", (), f"a time within {duration}", at_key=True)
        return
    expected = "a day with a dose of this line"
    for index, day in enumerate(line.missed):
        if day not in times:
            yield Fault(f"there is no dose to miss on day {day}", ("missed", index), expected)
    for day, late in line.late.items():
        path = ("late", f"day {day}")
        if day not in times or day in line.missed:
            yield Fault(f"there is no dose to be late with on day {day}", path, expected, at_key=True)
        elif times[day] + hours(late) >= hours(duration):
            left = f"less than {hours(duration) - times[day]:.4g} h"
            yield Fault(f"{late} late on day {day}: the run is over by then", path, left)
