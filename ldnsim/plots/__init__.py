"""Figures from result Datasets and metric tables: plotly Figures, all in the template `ldnsim`.

time_course(result, output)    the whole course, a panel per account, a colour per arm
last_day(result, output)       the last whole day by clock time
account_fan(result, output)    one arm under all accounts, what lies between them shaded
by_arm(table, metric)          one metric against the arms, a series per account
dose_response(grid, metric)    a sweep over one axis
dose_clock_map(grid, metric)   a sweep over two, as a heat map with contours
predicted_observed(predictions)  a fit's data against the model; residuals(predictions) in units of their errors
calendar(result or scenario)   the doses: days down, clock time across, a panel per arm
tornado(table, base, metric)   what each number does to a metric by itself
virtual_trial(table)           power against the size of a trial

They read Datasets (those of a fit, a tornado and a trial data frames): a result opened from a file is drawn like
a fresh one; a calendar can also be drawn ahead.
"""

from __future__ import annotations

from ldnsim.plots.accounts import account_fan
from ldnsim.plots.arms import by_arm
from ldnsim.plots.calendar import calendar
from ldnsim.plots.courses import last_day, time_course
from ldnsim.plots.fits import predicted_observed, residuals
from ldnsim.plots.grids import dose_clock_map, dose_response
from ldnsim.plots.studies import tornado, virtual_trial
from ldnsim.plots.style import TEMPLATE

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
