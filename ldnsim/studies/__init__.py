"""Studies: sensitivity of metrics to parameters, uncertainty, and the power of trials.

request          the input of all studies: metrics, addresses and ranges; one typical person
one_at_a_time    each parameter to the ends of its range: `sensitivity`
variance_based   all parameters at once, by their shares of the variance: `sobol`
draws            a grid of cells x draws of uncertain parameters: `sweep_draws`
trial_records    the records `Trial` and `Response`
trials           virtual trials and their power: `virtual_trial`
"""

from __future__ import annotations

from ldnsim.studies.draws import sweep_draws
from ldnsim.studies.one_at_a_time import sensitivity
from ldnsim.studies.trial_records import Response, Trial
from ldnsim.studies.trials import virtual_trial
from ldnsim.studies.variance_based import sobol

__all__ = ["Response", "Trial", "sensitivity", "sobol", "sweep_draws", "virtual_trial"]
