"""Figures from result Datasets and metric tables: plotly Figures, all in the template `ldnsim`.

time_course(result, output)    the whole course, a panel per account, a colour per arm
last_day(result, output)       the last whole day by clock time
by_arm(table, metric)          one metric against the arms, a series per account
predicted_observed(predictions)  a fit's data against the model; residuals(predictions) in units of their errors
calendar(result or scenario)   the doses: days down, clock time across, a panel per arm

They read Datasets, so a result opened from a file is drawn like a fresh one; a calendar can also be drawn ahead.
"""

from __future__ import annotations

from ldnsim.plots.arms import by_arm
from ldnsim.plots.calendar import calendar
from ldnsim.plots.courses import last_day, time_course
from ldnsim.plots.fits import predicted_observed, residuals
from ldnsim.plots.style import TEMPLATE

__all__ = ["TEMPLATE", "by_arm", "calendar", "last_day", "predicted_observed", "residuals", "time_course"]
