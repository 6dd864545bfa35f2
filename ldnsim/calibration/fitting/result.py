"""The result of a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.library.fit_file import Fit

__all__ = ["FitResult"]


@dataclass(frozen=True)
class FitResult:
    """Estimates, their covariance and the prediction of every datum.

    Attributes
    ----------
    fit : Fit
        What was fitted.
    estimates : pandas.DataFrame
        A row per parameter (`slot.name`) or estimated time: `value`, `low` and `high` (95 % profile likelihood
        interval), `unit`, `start`, `lower` and `upper` (bounds), `at_bound`, `open_below` and `open_above` (the profile
        reaches the bound), `se_log` (standard error of the logarithm), `time` (whether it is a time).
    covariance, correlation : pandas.DataFrame
        Of the logarithms; rows and columns as in `estimates`.
    predictions : pandas.DataFrame
        A row per datum, in its own unit: `arm`, `output`, `what`, `observed`, `error`, `predicted`, `residual` (in
        units of the error), `fold`, `use`, `logarithmic`, `unit`, `source`.
    statements : tuple of str
        What the data determine and what they do not, most important first.
    chi2 : float
        Sum of squared residuals of the fitted data.
    degrees_of_freedom : int
        Number of fitted data less that of the estimates.
    agreeing, tried : int
        How many of the starts reached this optimum, and how many there were.
    provenance : dict
        Package version, model and its hash, account, seed and text of the fit.
    """

    fit: Fit
    estimates: pd.DataFrame
    covariance: pd.DataFrame
    correlation: pd.DataFrame
    predictions: pd.DataFrame
    statements: tuple[str, ...]
    chi2: float
    degrees_of_freedom: int
    agreeing: int
    tried: int
    provenance: dict[str, Any]
