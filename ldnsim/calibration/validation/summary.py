"""Summaries of the rows: mean fold errors, RMS errors of occupancy, and facts that no single parameter set can meet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.calibration.validation.rows import EVERY_ACCOUNT, FAMILIES, ValidationRow, error_of

if TYPE_CHECKING:
    from ldnsim.library.predictions import Predictions

__all__ = ["ConflictingFact", "FactConflict", "Overall", "conflicts_of", "overall_of"]

FOLDS = ("concentration", "time")  # families with a mean fold error
NEGLIGIBLE = {"fold": 0.05, "points": 1.0, "hours": 0.5, "none": math.inf}  # errors that need no other parameter set
BETTER = 0.8  # another set meets a fact better if its error is at most this share of the default's


@dataclass(frozen=True)
class Overall:
    """The mean error of an account over a group of facts: for fitted and for test facts, with the number of rows.

    `test_read` excludes the test facts that are known from memory only. `within` is the range of the error of the fit
    facts if measurements of an uncertain hour were made at the best, or at the worst, of the possible hours.
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
class ConflictingFact:
    """One of several facts that contradict each other: its row, and the published parameter set that meets it better,
    with its prediction; or the `reason` why there is none. `set_by`: the set was derived from this very fact."""

    row: ValidationRow
    parameter_set: str = ""
    under_set: float = math.nan
    set_by: bool = False
    reason: str = ""


@dataclass(frozen=True)
class FactConflict:
    """Facts that one set of parameters cannot meet. `span` is the largest ratio of observed over predicted, divided by
    the smallest; NaN for clock times."""

    title: str
    note: str
    span: float
    facts: tuple[ConflictingFact, ...]


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


def conflicts_of(rows: Sequence[ValidationRow], predictions: Predictions) -> list[FactConflict]:
    """The conflicts named in the predictions file, with the predictions of the model and of published sets."""
    found = []
    for conflict in predictions.conflicts.values():
        here = [row for id in conflict.facts for row in rows if row.fact.id == id and not row.reason]
        first = list({(row.fact.id, row.quantity): row for row in reversed(here)}.values())[
            ::-1
        ]  # one account suffices
        if len(first) > 1:
            found.append(FactConflict(conflict.title, conflict.note, _span(first), tuple(_judged(first, predictions))))
    return found


def rmse(errors: Sequence[float]) -> float:
    """Root mean square; NaN for an empty list."""
    return math.sqrt(sum(error**2 for error in errors) / len(errors)) if errors else math.nan


def fold(errors: Sequence[float]) -> float:
    """Geometric mean of fold errors; NaN for an empty list."""
    return math.exp(sum(math.log(error) for error in errors) / len(errors)) if errors else math.nan


def _overall(account: str, what: str, unit: str, rows: Sequence[ValidationRow]) -> Overall:
    mean = fold if unit == "fold" else rmse
    fit, test = ([row.error for row in rows if row.fact.use == use] for use in ("fit", "test"))
    within = _over_hours([row for row in rows if row.fact.use == "fit"]) if unit == "points" else None
    read = mean([row.error for row in rows if row.fact.use == "test" and row.fact.status != "memory"])
    return Overall(account, what, unit, mean(fit), len(fit), mean(test), len(test), read, within)


def _over_hours(rows: Sequence[ValidationRow]) -> tuple[float, float] | None:
    """The lowest and highest root mean square error if all scans of an uncertain hour were made at the same hour."""
    known = {hour for row in rows for hour, _ in row.by_hour}
    if not known:
        return None
    at_hour = []
    for hour in sorted(known):
        moved = [
            error_of(dict(row.by_hour)[hour], row.observed, row.scale) for row in rows if hour in dict(row.by_hour)
        ]
        at_hour.append(rmse(moved + [row.error for row in rows if not row.by_hour]))
    return min(at_hour), max(at_hour)


def _span(rows: Sequence[ValidationRow]) -> float:
    """How far the facts are apart: the largest observed over predicted, divided by the smallest."""
    ratios = [row.observed.middle / row.predicted for row in rows if row.observed and row.scale == "fold"]
    return max(ratios) / min(ratios) if ratios else math.nan


def _judged(rows: Sequence[ValidationRow], predictions: Predictions) -> Iterable[ConflictingFact]:
    for row in rows:
        errors = {name: _size(row, value) for name, value in row.by_parameter_set.items()}
        best = min(errors, key=errors.__getitem__, default="")
        off = _size(row, row.predicted)
        if best and off > NEGLIGIBLE[row.scale] and errors[best] <= BETTER * off:
            yield ConflictingFact(row, best, row.by_parameter_set[best], row.fact.id in predictions.rivals[best].set_by)
        else:
            yield ConflictingFact(row, reason="none" if off > NEGLIGIBLE[row.scale] else "met by the default")


def _size(row: ValidationRow, predicted: float) -> float:
    """Absolute error of a prediction; 0 if it is exact."""
    error = error_of(predicted, row.observed, row.scale)
    return math.inf if math.isnan(error) else math.log(error) if row.scale == "fold" else abs(error)
