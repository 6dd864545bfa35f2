"""What the rows amount to: mean fold errors, scatter of occupancy, and facts that no one set of parameters can meet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.calibration.validation.rows import EVERY_ACCOUNT, FAMILIES, ValidationRow, error_of

if TYPE_CHECKING:
    from ldnsim.library.predictions import Predictions

__all__ = ["Clash", "Contradiction", "Overall", "clashes_of", "overall_of"]

FOLDS = ("concentration", "time")  # families of which mean fold errors are given
SLIGHT = {"fold": 0.05, "points": 1.0, "hours": 0.5, "none": math.inf}  # errors that need no rival set
BETTER = 0.8  # a rival set meets a fact better if it leaves at most this share of the error


@dataclass(frozen=True)
class Overall:
    """One number over many facts of an account: `fit` beside `test`, with how many rows each.

    `test_read` leaves out the test facts that are known from memory only. `within` is what the number of the fit facts
    would be had the uncertain hour of the measurements been the best, or the worst, of those possible.
    """

    account: str
    what: str
    unit: str
    fit: float
    fit_count: int
    test: float
    test_count: int
    test_read: float
    within: tuple[float, float] | None = None


@dataclass(frozen=True)
class Contradiction:
    """A fact among those that disagree: its row, and the rival set that meets it better, with its prediction; or else,
    in `without`, why there is none."""

    row: ValidationRow
    rival: str = ""
    under_rival: float = math.nan
    set_by: bool = False
    without: str = ""


@dataclass(frozen=True)
class Clash:
    """Facts that one set of parameters cannot meet. `span` is the widest ratio between what they ask for: observed over
    predicted, the highest over the lowest; NaN for clock times."""

    title: str
    note: str
    span: float
    facts: tuple[Contradiction, ...]


def overall_of(rows: Iterable[ValidationRow]) -> list[Overall]:
    """Geometric mean fold errors of concentrations and of times, and the root mean square error of occupancy.

    Each fact counts once per number: rows that hold in every account count in each of them.
    """
    rows = [row for row in rows if not row.reason]
    accounts = list(dict.fromkeys(row.account for row in rows if row.account != EVERY_ACCOUNT)) or [EVERY_ACCOUNT]
    found = []
    for family in FOLDS:
        common = [row for row in rows if row.family == family and row.account == EVERY_ACCOUNT and row.scale == "fold"]
        if common:
            found.append(_overall(EVERY_ACCOUNT, FAMILIES[family], "fold", common))
    for account in accounts:
        own = [row for row in rows if row.account == account]
        for family in FOLDS:
            here = [row for row in own if row.family == family and row.scale == "fold"]
            if here:
                found.append(_overall(account, FAMILIES[family], "fold", here))
        scans = [row for row in own if row.family == "occupancy" and row.scale == "points"]
        fitted = [row for row in scans if row.fact.use == "fit"]
        for source in dict.fromkeys(row.fact.source for row in fitted):
            of_source = [row for row in scans if row.fact.source == source]
            found.append(_overall(account, f"occupancy, {source}", "points", of_source))
        if scans:
            found.append(_overall(account, "occupancy, all", "points", scans))
    return found


def clashes_of(rows: Sequence[ValidationRow], predictions: Predictions) -> list[Clash]:
    """The conflicts that the predictions file names, with what the model and its rival sets say of each fact."""
    found = []
    for conflict in predictions.conflicts.values():
        here = [row for id in conflict.facts for row in rows if row.fact.id == id and not row.reason]
        first = list({(row.fact.id, row.quantity): row for row in reversed(here)}.values())[
            ::-1
        ]  # one account suffices
        if len(first) > 1:
            found.append(Clash(conflict.title, conflict.note, _span(first), tuple(_judged(first, predictions))))
    return found


def rmse(errors: Sequence[float]) -> float:
    """Root mean square; NaN of nothing."""
    return math.sqrt(sum(error**2 for error in errors) / len(errors)) if errors else math.nan


def fold(errors: Sequence[float]) -> float:
    """Geometric mean of fold errors; NaN of nothing."""
    return math.exp(sum(math.log(error) for error in errors) / len(errors)) if errors else math.nan


def _overall(account: str, what: str, unit: str, rows: Sequence[ValidationRow]) -> Overall:
    mean = fold if unit == "fold" else rmse
    fit, test = ([row.error for row in rows if row.fact.use == use] for use in ("fit", "test"))
    within = _over_hours([row for row in rows if row.fact.use == "fit"]) if unit == "points" else None
    read = mean([row.error for row in rows if row.fact.use == "test" and row.fact.status != "memory"])
    return Overall(account, what, unit, mean(fit), len(fit), mean(test), len(test), read, within)


def _over_hours(rows: Sequence[ValidationRow]) -> tuple[float, float] | None:
    """The lowest and highest root mean square error, were all scans of an uncertain hour made at the same one."""
    known = {hour for row in rows for hour, _ in row.sweep}
    if not known:
        return None
    at_hour = []
    for hour in sorted(known):
        moved = [error_of(dict(row.sweep)[hour], row.observed, row.scale) for row in rows if hour in dict(row.sweep)]
        at_hour.append(rmse(moved + [row.error for row in rows if not row.sweep]))
    return min(at_hour), max(at_hour)


def _span(rows: Sequence[ValidationRow]) -> float:
    """How far apart the facts are: observed over predicted, the highest over the lowest."""
    asked = [row.observed.middle / row.predicted for row in rows if row.observed and row.scale == "fold"]
    return max(asked) / min(asked) if asked else math.nan


def _judged(rows: Sequence[ValidationRow], predictions: Predictions) -> Iterable[Contradiction]:
    for row in rows:
        errors = {name: _size(row, value) for name, value in row.rivals.items()}
        best = min(errors, key=errors.__getitem__, default="")
        off = _size(row, row.predicted)
        if best and off > SLIGHT[row.scale] and errors[best] <= BETTER * off:
            yield Contradiction(row, best, row.rivals[best], row.fact.id in predictions.rivals[best].set_by)
        else:
            yield Contradiction(row, without="none" if off > SLIGHT[row.scale] else "met as it is")


def _size(row: ValidationRow, predicted: float) -> float:
    """How far off a prediction would be: 0 where it is right."""
    error = error_of(predicted, row.observed, row.scale)
    return math.inf if math.isnan(error) else math.log(error) if row.scale == "fold" else abs(error)
