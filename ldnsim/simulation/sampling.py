"""Where a run is looked at: sample times close where curves bend, hourly elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ldnsim.dosing.regimen import DAY, planned_doses
from ldnsim.foundation.fields import hours

if TYPE_CHECKING:
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["sample_times"]

AFTER_DOSE = 6.0  # hours of close sampling
CLOSE = 5 / 60


def sample_times(scenario: Scenario, resolved: Resolved) -> np.ndarray:
    """Hourly, every 5 min on the last day and for 6 h after the first and last dose of each arm, both sides of each of
    these doses; or every `sample` of the scenario. Hours, ascending."""
    duration = hours(resolved.duration)
    if scenario.sample is not None:
        step = hours(scenario.sample)
        return np.append(np.arange(0.0, duration - 1e-9 * step, step), duration)
    pieces: list[np.ndarray] = [np.arange(0.0, duration, 1.0), np.array([duration])]
    last_day = max(0.0, (np.floor(duration / DAY) - 1) * DAY)
    pieces.append(np.arange(round(last_day * 12), round(min(duration, last_day + DAY) * 12) + 1) / 12)
    for arm in resolved.arms.values():
        planned = planned_doses(arm, duration, scenario.start_day)
        for dose in planned[:1] + planned[-1:]:
            close = dose.time + np.arange(round(AFTER_DOSE / CLOSE) + 1) * CLOSE
            pieces += [close, np.array([np.nextafter(dose.time, np.inf)])]
    times: np.ndarray = np.unique(np.concatenate(pieces))
    # 5-minute marks counted from different doses may differ in their last bits: one of each is enough
    keep = np.append(True, (np.diff(times) > 1e-6) | (times[1:] == np.nextafter(times[:-1], np.inf)))
    return times[keep & (times >= 0) & (times <= duration)]
