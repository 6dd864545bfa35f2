"""One-at-a-time sensitivity: the effect of each parameter on a metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.scenario.changes import qualified, resolve
from ldnsim.scenario.design import ends_of
from ldnsim.studies.request import ListedCells, metric_faults, names_of, reasons_of, spans_of, typical, typical_table
from ldnsim.sweeps.cells import CELL
from ldnsim.sweeps.plan import plan_of
from ldnsim.sweeps.sweep import execute, with_sweep

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["sensitivity"]

MAX_AXES = 20  # of a sweep
STEP = 1.05  # factor of elasticities: large against the solver's tolerance, small enough for a slope


class _Move(NamedTuple):
    """An address and its two values; `accounts` (None: all) are those with this range."""

    address: str
    low: Any
    high: Any
    accounts: frozenset[str] | None = None


def sensitivity(
    scenario: Scenario,
    parameters: Sequence[str] | Mapping[str, Any] | None = None,
    metrics: Sequence[str] = (),
    *,
    factor: float | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """Move one parameter at a time to both ends of its range, with the others as stated.

    All runs are of one typical person, whether or not the scenario has a population.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    parameters : sequence of str or mapping, optional
        Addresses whose range the model states, or address -> `(low, high)`. Where accounts have different parts, each
        uses the range of its own. Default: every parameter behind the outputs that states a range, except those of the
        slot `person`; parameters that move no metric are then left out and listed in `attrs["unmoved"]`.
    metrics : sequence of str
        Names of metrics of `summarize`, such as "opioid_tone_mean". Clock times are refused.
    factor : float, optional
        Divide and multiply each parameter by this factor (above 1) in place of using ranges.
    workers : int, optional
        Number of threads; default: one per core.

    Returns
    -------
    pandas.DataFrame
        One row per metric, account, arm and address: `low` and `high` (as written), `base` (the metric with all
        values as stated), `at_low`, `at_high` (all in `unit`), and `elasticity`, the relative change of the metric
        per relative change of the parameter (central difference of 5 %; NaN where `base` is 0, and for parameters
        that cannot be scaled: clock times, and those that the scenario itself changes). Runs without a solution are
        NaN, with their `reason`. The rows of one metric, account and arm are the table of `plots.tornado`.

    Raises
    ------
    LdnsimError
        With all faults at once: metrics or addresses that do not exist, change nothing or have no range.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> scenario = ldn.load_scenario("night_vs_morning")
    >>> table = ldn.sensitivity(scenario, ["occupancy.EC50"], ["opioid_tone_mean"])
    >>> columns = ["account", "arm", "base", "at_low", "at_high", "elasticity"]
    >>> print(table[columns].round(2).to_string(index=False))
      account     arm  base  at_low  at_high  elasticity
    transient   night  1.00    0.85     1.01        0.03
    transient morning  0.97    0.85     0.97        0.01
     pet_pool   night  0.47    0.16     0.78        0.46
     pet_pool morning  0.48    0.16     0.78        0.46
    """
    import pandas as pd

    names = names_of(metrics)
    base = typical_table(scenario)
    faults = metric_faults(base, names)
    checked = typical(scenario)
    moves, found = _moves(checked, parameters, factor)
    faults += found
    faults += _unfit(checked, moves)
    if faults:
        raise LdnsimError(faults)
    scaled = [name for name in dict.fromkeys(move.address for move in moves) if _can_be_scaled(checked, name)]
    rows: list[dict[str, Any]] = [{}]
    rows += ({move.address: end} for move in moves for end in (move.low, move.high))
    rows += ({name: f"x {step!r}"} for name in scaled for step in (1 / STEP, STEP))
    cells = ListedCells((CELL,), (len(rows),), (), tuple(rows))
    table = execute(plan_of(checked, cells), workers=workers, progress=False)
    records = [
        row
        for name in names
        for place in np.ndindex(base[name].shape)
        for row in _rows(table, name, place, moves, scaled)
    ]
    frame = pd.DataFrame(records)
    unmoved: list[str] = []
    if parameters is None:
        moved = (frame.at_low != frame.base) | (frame.at_high != frame.base)  # also true of cells without a solution
        unmoved = sorted(set(frame.address) - set(frame.address[moved]))
        frame = frame[~frame.address.isin(unmoved)].reset_index(drop=True)
    frame.attrs = {
        "scenario": scenario.name,
        "unmoved": unmoved,
        "cells": len(rows),
        "failed": reasons_of(table),
        "factor": factor,
    }
    return frame


def _rows(
    table: xr.Dataset, name: str, place: tuple[int, ...], moves: Sequence[_Move], scaled: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The effect of each move on a metric in one account and arm."""
    account, arm = str(table.account.values[place[0]]), str(table.arm.values[place[1]])
    values, why = (
        table[one].transpose(CELL, "account", "arm").to_numpy()[:, place[0], place[1]] for one in (name, "reason")
    )
    for cell, move in zip(range(1, 1 + 2 * len(moves), 2), moves, strict=True):
        if move.accounts is not None and account not in move.accounts:
            continue
        slope = np.nan
        if move.address in scaled and values[0]:
            first = 1 + 2 * (len(moves) + scaled.index(move.address))
            slope = (values[first + 1] - values[first]) / values[0] / (STEP - 1 / STEP)
        yield {
            "metric": name, "account": account, "arm": arm, "address": move.address, "low": str(move.low),
            "high": str(move.high), "base": values[0], "at_low": values[cell], "at_high": values[cell + 1],
            "elasticity": slope, "unit": table[name].attrs["units"],
            "reason": "; ".join(dict.fromkeys(filter(None, why[cell : cell + 2]))),
        }  # fmt: skip


def _moves(
    scenario: Scenario, parameters: Sequence[str] | Mapping[str, Any] | None, factor: float | None
) -> tuple[list[_Move], list[Fault]]:
    """The moves, and the faults."""
    if factor is not None:
        return _scalings(scenario, parameters, factor)
    spans, faults = spans_of(scenario, parameters)
    moves = []
    for span in spans:
        try:
            ends_of(span.address, span.range)  # raises if they are equal or not on one scale
            moves.append(_Move(span.address, span.range.from_, span.range.to, span.accounts))
        except LdnsimError as caught:
            faults += (fault.under("parameters", span.address) for fault in caught.faults)
    return moves, faults


def _scalings(
    scenario: Scenario, parameters: Sequence[str] | Mapping[str, Any] | None, factor: float
) -> tuple[list[_Move], list[Fault]]:
    """Each address divided and multiplied by a factor; and the faults."""
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 1 < factor < np.inf:
        return [], [Fault(f"a factor of {factor!r}", ("factor",), "more than 1, such as 2")]
    if isinstance(parameters, Mapping):
        return [], [Fault("a factor together with ranges", ("factor",), "a factor with a list of addresses, or ranges")]
    if parameters is None:
        spans, faults = spans_of(scenario, None)
        names = list(dict.fromkeys(span.address for span in spans))
    else:
        names = names_of(parameters)
        faults = [] if names else [Fault("no parameter is given", ("parameters",), "a list of addresses")]
    for name in names:
        if _is_changed(scenario, name):
            message = f"{name} is changed by the scenario, and a factor would apply to the value of the model"
            faults.append(Fault(message, ("parameters", name), f"a range: {{{name!r}: (low, high)}}"))
    return [_Move(name, f"x {1 / factor!r}", f"x {factor!r}") for name in names], faults


def _is_changed(scenario: Scenario, name: str) -> bool:
    settings = resolve(scenario).settings
    return qualified(name, settings) in {qualified(address, settings) for address in scenario.changes}


def _unfit(scenario: Scenario, moves: Sequence[_Move]) -> list[Fault]:
    """Faults of values that are invalid or change nothing, checked as axes of a sweep, a few at a time."""
    faults: list[Fault] = []
    values = {move.address: [move.low, move.high] for move in moves}
    names = list(values)
    for some in (names[at : at + MAX_AXES] for at in range(0, len(names), MAX_AXES)):
        try:
            with_sweep(scenario, {name: values[name] for name in some}, {"kind": "list"})
        except LdnsimError as caught:
            faults += caught.faults
    return faults


def _can_be_scaled(scenario: Scenario, name: str) -> bool:
    if _is_changed(scenario, name):
        return False
    try:
        scenario.with_changes({name: f"x {STEP!r}"})
    except LdnsimError:
        return False
    return True
