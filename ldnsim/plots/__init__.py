"""Figures from results, metric tables and fits, as plotly Figures in the template `ldnsim`.

time_course(result, output)    the whole course: a panel per account, a colour per arm
last_day(result, output)       the last whole day by clock time
account_fan(result, output)    one arm under all accounts, with the area between them shaded
by_arm(table, metric)          one metric against the arms, a series per account
dose_response(grid, metric)    a sweep over one axis
dose_clock_map(grid, metric)   a sweep over two axes, as a heat map with contours
predicted_observed(predictions)  data of a fit against the model; residuals(predictions): in standard errors
calendar(result or scenario)   the doses: days down, clock time across, a panel per arm
tornado(table, base, metric)   the effect of each parameter on a metric
virtual_trial(table)           power against the size of a trial

They take Datasets (figures of fits, tornado plots and trials: data frames), fresh or opened from a file. A calendar
can also be drawn from a scenario before it is run.
"""

from __future__ import annotations

from ldnsim.plots.accounts import account_fan
from ldnsim.plots.arms import by_arm
from ldnsim.plots.calendar import calendar
from ldnsim.plots.dose_clock_map import dose_clock_map
from ldnsim.plots.dose_response import dose_response
from ldnsim.plots.last_day import last_day
from ldnsim.plots.predicted_observed import predicted_observed
from ldnsim.plots.residuals import residuals
from ldnsim.plots.style import TEMPLATE
from ldnsim.plots.time_course import time_course
from ldnsim.plots.tornado import tornado
from ldnsim.plots.virtual_trial import virtual_trial

__all__ = [
    "TEMPLATE",
    "account_fan",
    "by_arm",
    "calendar",
    "dose_clock_map",
    "dose_response",
    "last_day",
    "predicted_observed",
    "residuals",
    "time_course",
    "tornado",
    "virtual_trial",
]
