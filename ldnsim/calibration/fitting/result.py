"""What a fit found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.library.fit_file import Fit

__all__ = ["FitResult"]


@dataclass(frozen=True)
class FitResult:
    """Estimates, their covariance and the predictions of every datum.

    `estimates`: a row per parameter (`slot.name`) or time: value, low, high (95 % by likelihood profile), unit, start,
    lower, upper (the bounds), at_bound, open_below, open_above (the profile reaches the bound), se_log (standard error
    of the logarithm) and time (whether it is one). `covariance` and `correlation` of the logarithms: rows and columns
    as in `estimates`. `predictions`: a row per datum, in its own unit: arm, output, what, observed, error, predicted,
    residual (in units of the error), fold, use, logarithmic, unit, source. `chi2` is the sum of squared residuals of
    the data fitted, `freedom` their number less that of the parameters; `agreeing` of `tried` starts ended at it.
    """

    fit: Fit
    estimates: pd.DataFrame
    covariance: pd.DataFrame
    correlation: pd.DataFrame
    predictions: pd.DataFrame
    statements: tuple[str, ...]
    chi2: float
    freedom: int
    agreeing: int
    tried: int
    provenance: dict[str, Any]
