"""Parameter estimation: least squares from several starts, confidence intervals, and identifiability."""

from __future__ import annotations

from ldnsim.calibration.fitting.estimation import fit
from ldnsim.calibration.fitting.output import fit_files, fitted_model
from ldnsim.calibration.fitting.result import FitResult
from ldnsim.calibration.fitting.tables import data_table, estimates_table, summary

__all__ = ["FitResult", "data_table", "estimates_table", "fit", "fit_files", "fitted_model", "summary"]
