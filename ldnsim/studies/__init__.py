"""Studies of a model: which numbers its answers hang on, how sure they are, and what a trial could see of them.

asked      what all of them are asked: metrics, addresses and their ranges, one typical person
local      one number at a time to the ends of its range: `sensitivity`
whole      all of them at once, by their share of the variance: `sobol`
draws      a grid of cells x draws of what is uncertain: `sweep_draws`
trials     virtual trials and their power: `virtual_trial`
"""

from __future__ import annotations

from ldnsim.studies.draws import sweep_draws
from ldnsim.studies.one_at_a_time import sensitivity
from ldnsim.studies.trial_records import Response, Trial
from ldnsim.studies.trials import virtual_trial
from ldnsim.studies.variance_based import sobol

__all__ = ["Response", "Trial", "sensitivity", "sobol", "sweep_draws", "virtual_trial"]
