"""Variance-based sensitivity: Sobol indices of all parameters at once."""

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
from ldnsim.sweeps.sweep import execute, with_sweep

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.scenario.scenario import Scenario

__all__ = ["sobol"]

Floats = NDArray[np.float64]
RESAMPLES = 500
MIN_POINTS = 16  # fewest points for an index
MAX_POINTS = 2**14
FLAT = 1e-9  # a relative SD below this is numerical noise
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
    """Sobol indices: first-order and total shares of each parameter in the variance of a metric.

    Parameters vary independently and uniformly over their ranges (on the logarithm where a stated range is positive),
    sampled by a scrambled Sobol sequence [1]_: first-order indices by the estimator of their table 2(b), total
    indices by that of Jansen, their table 2(f). Runs are of one typical person.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    parameters : sequence of str or mapping, optional
        Addresses whose range the model states, or address -> `(low, high)`, `(low, high, "log")` or a `Range`. Default:
        every parameter behind the outputs that states a range, except those of the slot `person`.
    metrics : sequence of str
        Names of metrics of `summarize`, such as "opioid_tone_mean". Clock times are refused.
    n : int
        Number of base points, a power of 2 from 16 to 16384; `n * (parameters + 2)` cells are run.
    seed : int
        Seed of points and bootstrap. The same seed gives the same table, to the bit.
    workers : int, optional
        Number of threads; default: one per core.

    Returns
    -------
    pandas.DataFrame
        One row per metric, account, arm and address: the indices `first` and `total` (dimensionless; estimates can
        lie outside 0 to 1) with 95 % bootstrap intervals `first_low`, `first_high`, `total_low`, `total_high`; `mean`
        and `sd` of the metric (in `unit`); `used` and `failed`, the numbers of points with and without the metric in
        all cells; and the `reason` where there is no index or points failed. `attrs` has `cells` and the counts of
        reasons (`failed`).

    Raises
    ------
    LdnsimError
        With all faults at once, before the run starts.

    References
    ----------
    .. [1] Saltelli A. et al. (2010). Variance based sensitivity analysis of model output. Comput. Phys. Commun. 181,
       259-270. https://doi.org/10.1016/j.cpc.2009.09.018

    Examples
    --------
    >>> import ldnsim as ldn
    >>> scenario = ldn.load_scenario("night_vs_morning")
    >>> ranges = {"occupancy.EC50": ("0.3 ng/mL", "1.4 ng/mL", "log"), "night.dose": ("3 mg", "6 mg")}
    >>> table = ldn.sobol(scenario, ranges, ["opioid_tone_mean"], n=16)
    >>> rows = table[(table.account == "pet_pool") & (table.arm == "night")]
    >>> rows.sort_values("total", ascending=False)["address"].tolist()
    ['occupancy.EC50', 'night.dose']
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
        faults.append(Fault(f"{address} has different ranges in different accounts", ("parameters", address), expected))
    ranges = {span.address: span.range for span in spans}
    if ranges and not faults:
        try:
            size = {"kind": "random", "cells": n * (len(ranges) + 2), "seed": seed}
            checked = with_sweep(typical(scenario), ranges, size)
        except LdnsimError as caught:
            faults += caught.faults
    if faults:
        raise LdnsimError(faults)
    plan = plan_of(checked, sampled_cells(checked, _shares(n, len(ranges), seed)))
    table = execute(plan, workers=workers, progress=False)
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
    if isinstance(n, bool) or not isinstance(n, int) or not MIN_POINTS <= n <= MAX_POINTS or n & (n - 1):
        faults.append(Fault(f"{n!r} points", ("n",), f"a power of 2 from {MIN_POINTS} to {MAX_POINTS}, such as 512"))
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= 10**18:
        faults.append(Fault(f"a seed of {seed!r}", ("seed",), "a whole number, 0 or above"))
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
    """The columns of each axis. `values` has shape (2 + axes, points); `picks` (resamples, points) are indices of the
    bootstrap, as shares of the number of points with a value."""
    usable = np.asarray(np.isfinite(values).all(axis=0))
    used, axes = int(usable.sum()), len(values) - 2
    reason = max(sorted(set(texts)), key=texts.count) if texts else ""
    sd, mean = (float(f(values[:2, usable])) if used else np.nan for f in (np.std, np.mean))
    if used < MIN_POINTS:
        reason = f"only {used} points have a value" + (f": {reason}" if reason else "")
    elif sd <= FLAT * max(1.0, abs(mean)):
        reason = "the metric does not vary"
    nothing = used < MIN_POINTS or reason == "the metric does not vary"
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
    """(first, total) of each axis, as `scipy.stats.sobol_indices`, which needs a power of 2 of points and so cannot
    leave out points that failed."""
    a, b, *mixed = values - values[:2].mean()
    variance = np.var([a, b])
    pages = np.array(mixed)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.array([(b * (pages - a)).mean(axis=1), 0.5 * ((a - pages) ** 2).mean(axis=1)])
        return np.asarray(found / variance)
