"""All numbers at once: the share of a metric's variance that each of them makes (Sobol indices)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.random_streams import generator
from ldnsim.studies.request import metric_faults, names_of, reasons_of, spans_of, typical, typical_table
from ldnsim.sweeps.cells import CELL, sampled_cells
from ldnsim.sweeps.plan import plan_of
from ldnsim.sweeps.sweep import carried_out, with_sweep

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.scenario.scenario import Scenario

__all__ = ["sobol"]

Floats = NDArray[np.float64]
RESAMPLES = 500
LEAST_POINTS = 16  # below, a share of variance says nothing
MOST_POINTS = 2**14
FLAT = 1e-9  # a relative spread below this is the solver's
INTERVAL = (0.025, 0.975)


def sobol(
    scenario: Scenario,
    parameters: Sequence[str] | Mapping[str, Any] | None = None,
    metrics: Sequence[str] = (),
    *,
    n: int = 512,
    seed: int = 1,
    workers: int | None = None,
) -> pd.DataFrame:
    """First and total order Sobol indices of each number, per metric, account and arm, with 95 % bootstrap intervals.

    `parameters` are addresses whose range the model states (evenly on the logarithm where it is positive), or address
    -> `(low, high)`, `(low, high, "log")` or a `Range`, or None: every parameter behind the outputs that states one.
    All vary independently and evenly over their range. `n`, a power of 2, points of a scrambled Sobol sequence make
    `n * (parameters + 2)` cells of one typical person (Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018: first
    order as in their table 2 b, total order by Jansen's f). The same seed gives the same table, to the bit.

    A row per metric, account, arm and address: `first` and `total` (shares of the variance, estimates may stray below 0
    or above 1), `first_low`, `first_high`, `total_low`, `total_high`, the metric's `mean` and `sd` (in `unit`), `used`
    and `failed`: points of the `n` that all cells have the metric of, and the others, which are left out; `reason` says
    why there is no index (a metric that does not vary, too few points) or why points failed. `attrs` count cells and
    those without solution. Raises LdnsimError with everything that is wrong, before any work.
    """
    import pandas as pd

    names = names_of(metrics)
    faults = metric_faults(typical_table(scenario), names)
    faults += _number_faults(n, seed)
    spans, found = spans_of(scenario, parameters)
    faults += found
    several = [span for span in spans if span.accounts is not None]
    for address in dict.fromkeys(span.address for span in several):
        expected = "a range here, or one account: scenario.model_copy(update={'accounts': ('pet_pool',)})"
        faults.append(Fault(f"{address} has not one range in all accounts", ("parameters", address), expected))
    ranges = {span.address: span.range for span in spans}
    if ranges and not faults:
        try:
            size = {"kind": "random", "cells": n * (len(ranges) + 2), "seed": seed}
            asked = with_sweep(typical(scenario), ranges, size)
        except LdnsimError as caught:
            faults += caught.faults
    if faults:
        raise LdnsimError(faults)
    plan = plan_of(asked, sampled_cells(asked, _shares(n, len(ranges), seed)))
    table = carried_out(plan, workers=workers, progress=False)
    picks = generator(seed, "sobol.bootstrap", 0).random((RESAMPLES, n))
    records = []
    for name in names:
        values = table[name].transpose(CELL, "account", "arm").to_numpy()
        why = table[f"{name}_reason" if f"{name}_reason" in table else "reason"].transpose(CELL, "account", "arm")
        for a, r in np.ndindex(values.shape[1:]):
            labels = {"metric": name, "account": str(table.account.values[a]), "arm": str(table.arm.values[r])}
            of_place = values[:, a, r].reshape(len(ranges) + 2, n)
            texts = [text for text in why.to_numpy()[:, a, r] if text]
            for address, row in zip(ranges, _rows(of_place, picks, texts), strict=True):
                records.append({**labels, "address": address, **row, "unit": table[name].attrs["units"]})
    frame = pd.DataFrame(records)
    frame.attrs = {
        "scenario": scenario.name, "n": n, "seed": seed, "cells": values.shape[0], "failed": reasons_of(table),
        "ranges": {address: given.model_dump(by_alias=True, exclude_none=True) for address, given in ranges.items()},
    }  # fmt: skip
    return frame


def _number_faults(n: int, seed: int) -> list[Fault]:
    faults = []
    if isinstance(n, bool) or not isinstance(n, int) or not LEAST_POINTS <= n <= MOST_POINTS or n & (n - 1):
        faults.append(Fault(f"{n!r} points", ("n",), f"a power of 2 from {LEAST_POINTS} to {MOST_POINTS}, such as 512"))
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= 10**18:
        faults.append(Fault(f"a seed of {seed!r}", ("seed",), "a whole number from 0 on"))
    return faults


def _shares(n: int, axes: int, seed: int) -> Floats:
    """Points of the unit cube ((axes + 2) * n, axes): A, B, and A with each column of B in turn."""
    from scipy.stats import qmc  # imported late: it costs a second

    both = qmc.Sobol(2 * axes, scramble=True, seed=np.random.default_rng(seed)).random(n)
    a, b = both[:, :axes], both[:, axes:]
    mixed = []
    for axis in range(axes):
        page = a.copy()
        page[:, axis] = b[:, axis]
        mixed.append(page)
    return np.concatenate([a, b, *mixed])


def _rows(values: Floats, picks: Floats, texts: list[str]) -> list[dict[str, Any]]:
    """What is said of each axis; `values` are (A, B and an axis each; points), `picks` (resamples, points) shares of
    the way through the points with a value."""
    usable = np.asarray(np.isfinite(values).all(axis=0))
    used, axes = int(usable.sum()), len(values) - 2
    reason = max(sorted(set(texts)), key=texts.count) if texts else ""
    sd, mean = (float(f(values[:2, usable])) if used else np.nan for f in (np.std, np.mean))
    if used < LEAST_POINTS:
        reason = f"only {used} points have a value" + (f": {reason}" if reason else "")
    elif sd <= FLAT * max(1.0, abs(mean)):
        reason = "the metric does not vary"
    nothing = used < LEAST_POINTS or reason == "the metric does not vary"
    indices = np.full((2, axes), np.nan) if nothing else _indices(values[:, usable])
    ends = np.full((2, 2, axes), np.nan)
    if not nothing:
        sound = values[:, usable]
        drawn = np.array([_indices(sound[:, (pick[:used] * used).astype(int)]) for pick in picks])
        ends = np.nanquantile(drawn, INTERVAL, axis=0)
    counts = {"mean": mean, "sd": sd, "used": used, "failed": values.shape[1] - used, "reason": reason}
    return [
        {
            "first": indices[0, axis], "first_low": ends[0, 0, axis], "first_high": ends[1, 0, axis],
            "total": indices[1, axis], "total_low": ends[0, 1, axis], "total_high": ends[1, 1, axis],
            **counts,
        }
        for axis in range(axes)
    ]  # fmt: skip


def _indices(values: Floats) -> Floats:
    """(first, total) of each axis. As `scipy.stats.sobol_indices`, which takes a power of 2 of points only, and so
    cannot leave out those that failed."""
    a, b, *mixed = values - values[:2].mean()
    variance = np.var([a, b])
    pages = np.array(mixed)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.array([(b * (pages - a)).mean(axis=1), 0.5 * ((a - pages) ** 2).mean(axis=1)])
        return np.asarray(found / variance)
