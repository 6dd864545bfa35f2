"""Where a run is looked at to be shown: close where curves bend, hourly elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.dosing.regimen import planned_doses
from ldnsim.foundation.fields import hours
from ldnsim.metrics.mesh import COINCIDENT
from ldnsim.simulation.provenance import window_of

if TYPE_CHECKING:
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["sample_times"]

AFTER_DOSE = 6  # hours of close sampling
PER_HOUR = 12  # close samples
MOST_CLOSE = 576  # of close samples within the window


def sample_times(scenario: Scenario, resolved: Resolved) -> np.ndarray:
    """Where curves are looked at to be shown, h, ascending; metrics do not depend on it.

    Hourly; on both sides of every planned dose, and where an infusion ends; every 5 min within the window of metrics
    (or as many as two days of that, over a longer one), and for 6 h after the first and last dose of each arm. With
    `sample` in the scenario, every so often and nothing else.
    """
    duration = hours(resolved.duration)
    if scenario.sample is not None:
        step = hours(scenario.sample)
        return np.append(np.arange(0.0, duration - 1e-9 * step, step), duration)
    pieces: list[np.ndarray] = [np.arange(0.0, duration, 1.0), np.array([duration])]
    start, end = window_of(scenario, resolved, np.array([0.0, duration]))
    step = max(1, -(-round((end - start) * PER_HOUR) // MOST_CLOSE))  # a whole number of 5-minute marks
    pieces.append(np.arange(round(start * PER_HOUR), round(end * PER_HOUR) + 1, step) / PER_HOUR)
    sides: list[float] = []
    for arm in resolved.arms.values():
        planned = planned_doses(arm, duration, scenario.start_day)
        for dose in planned:
            sides += [dose.time, float(np.nextafter(dose.time, np.inf))]
            sides += [dose.time + dose.infuse] if dose.infuse else []
        pieces += [
            dose.time + np.arange(1, AFTER_DOSE * PER_HOUR + 1) / PER_HOUR for dose in planned[:1] + planned[-1:]
        ]
    exact = np.unique(sides)
    times = np.unique(np.concatenate(pieces))
    # marks counted from different doses may differ in their last bits: one of each is enough
    times = times[np.append(True, np.diff(times) > COINCIDENT)]
    nearest = np.searchsorted(exact, times)
    near = np.array([np.append(-np.inf, exact)[nearest], np.append(exact, np.inf)[nearest]])
    times = np.union1d(times[np.all(np.abs(near - times) > COINCIDENT, axis=0)], exact)
    return times[(times >= 0) & (times <= duration)]
