"""How far accounts are apart, beside how far people are and how uncertain parameters make an answer: in words."""

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

__all__ = ["mean_spread", "spread_words"]

STEP = 0.25  # h between samples
Z90 = 2 * 1.6449  # the 5 to 95 % range of a normal distribution, in standard deviations


def mean_spread(scenario: Scenario) -> dict[str, np.ndarray]:
    """output -> standard deviation (accounts, arms) of its mean in one typical person, from uncertain parameters.

    For the outputs of a scenario that answers are about; see `parameter_spread` for what is moved, and how far.
    """
    changes = {address: value for address, value in scenario.changes.items() if not address.startswith("population.")}
    # what the scenario itself draws as uncertain has a place of its own in the tables
    one = scenario.model_copy(update={"population": None, "uncertainty": None, "changes": changes})

    start, end = _window(one)
    times = np.append(np.arange(start, end, STEP), end)

    def seen(question: Scenario) -> dict[str, np.ndarray]:
        result = simulate(question, times=times.tolist(), rtol=1e-4)
        return {name: result[name].integrate("time").to_numpy() / (end - start) for name in _headlines(result)}

    return parameter_spread(one, seen)


def spread_words(result: xr.Dataset, table: xr.Dataset, parameters: Mapping[str, np.ndarray]) -> list[str]:
    """One text that sets the three spreads of each output beside each other, in the arm where accounts differ most;
    none without people, or with one account. `parameters` is what `mean_spread` gives."""
    if "subject" not in table.dims or table.sizes["account"] < 2:
        return []
    said = []
    for name in _headlines(result):
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
            words += (
                f", and by up to {Z90 * float(np.nanmax(parameters[name][:, arm])):.2f} as parameters are uncertain"
            )
        said.append(words)
    return [f"Accounts beside people (5 to 95 %): {'; '.join(said)}."] if said else []


def _window(scenario: Scenario) -> tuple[float, float]:
    """The hours that means are of: the scenario's window, or its last whole day."""
    duration = hours(resolve(scenario).duration)
    last_day = max(0.0, (duration // DAY - 1) * DAY)
    start, end = map(hours, scenario.window) if scenario.window else (last_day, min(last_day + DAY, duration))
    return start, end


def _headlines(result: xr.Dataset) -> list[str]:
    """The first output of each kind that answers are about: tone, and blockade."""
    return [*tone_first(result)[:1], *list(outputs_where(result, "is_blockade"))[:1]]
