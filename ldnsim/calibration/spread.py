"""Differences between accounts, compared with variability between people and parameter uncertainty, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.calibration.parameter_spread import parameter_spread
from ldnsim.dosing.regimen import DAY
from ldnsim.foundation.fields import hours
from ldnsim.metrics.outputs import outputs_where, tone_first
from ldnsim.scenario.changes import resolve
from ldnsim.simulation.simulate import simulate

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["mean_spread", "spread_text"]

STEP = 0.25  # h between samples
Z90 = 2 * 1.6449  # the 5 to 95 % range of a normal distribution, in standard deviations


def mean_spread(scenario: Scenario) -> dict[str, np.ndarray]:
    """Standard deviation of time-averaged outputs in a typical person, due to parameter uncertainty.

    Parameters
    ----------
    scenario : Scenario
        Its population and its drawn parameters are ignored.

    Returns
    -------
    dict of str to ndarray
        Main outputs of the scenario -> SD (accounts, arms), in the output's unit. See `parameter_spread`.
    """
    changes = {address: value for address, value in scenario.changes.items() if not address.startswith("population.")}
    # the tables show separately what the scenario itself draws as uncertain
    one = scenario.model_copy(update={"population": None, "uncertainty": None, "changes": changes})

    start, end = _window(one)
    times = np.append(np.arange(start, end, STEP), end)

    def means(scenario: Scenario) -> dict[str, np.ndarray]:
        result = simulate(scenario, times=times.tolist(), rtol=1e-4)
        return {name: result[name].integrate("time").to_numpy() / (end - start) for name in _main_outputs(result)}

    return parameter_spread(one, means)


def spread_text(result: xr.Dataset, table: xr.Dataset, parameters: Mapping[str, np.ndarray]) -> list[str]:
    """Compare, for each main output, the difference between accounts with the two other sources of spread.

    Parameters
    ----------
    result : xarray.Dataset
        As returned by `simulate`.
    table : xarray.Dataset
        As returned by `summarize`.
    parameters : mapping of str to ndarray
        As returned by `mean_spread`: SD (accounts, arms) by output.

    Returns
    -------
    list of str
        One sentence, on the arm where accounts differ most; none without a population or with one account.
    """
    if "subject" not in table.dims or table.sizes["account"] < 2:
        return []
    phrases = []
    for name in _main_outputs(result):
        values = table[f"{name}_mean"].where(table.status == 0)
        values = values.sel(draw=0) if "draw" in values.dims else values
        middle = values.median("subject")
        between = (middle.max("account") - middle.min("account")).to_numpy()
        if not np.isfinite(between).any():
            continue
        arm = int(np.nanargmax(between))
        ends = values.isel(arm=arm).quantile([0.05, 0.95], "subject")
        people = float((ends.sel(quantile=0.95) - ends.sel(quantile=0.05)).max())
        low, high = float(middle.isel(arm=arm).min()), float(middle.isel(arm=arm).max())
        words = (
            f"mean {result[name].attrs['long_name']} ({table.arm.values[arm]}) differs by {high - low:.2f} between "
            f"accounts ({low:.2f} to {high:.2f}), by up to {people:.2f} between people of one account"
        )
        if name in parameters:
            words += f", and by up to {Z90 * float(np.nanmax(parameters[name][:, arm])):.2f} from parameter uncertainty"
        phrases.append(words)
    return [f"Accounts compared with people (5 to 95 %): {'; '.join(phrases)}."] if phrases else []


def _window(scenario: Scenario) -> tuple[float, float]:
    """The hours over which means are taken: the scenario's window, or its last whole day."""
    duration = hours(resolve(scenario).duration)
    last_day = max(0.0, (duration // DAY - 1) * DAY)
    start, end = map(hours, scenario.window) if scenario.window else (last_day, min(last_day + DAY, duration))
    return start, end


def _main_outputs(result: xr.Dataset) -> list[str]:
    """The outputs that answers are about: the first tone, and the first blockade."""
    return [*tone_first(result)[:1], *list(outputs_where(result, "is_blockade"))[:1]]
