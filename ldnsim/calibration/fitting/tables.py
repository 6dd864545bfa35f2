"""The tables of a fit as printed: rounded numbers with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.calibration.fitting.result import FitResult

__all__ = ["data_table", "estimates_table", "summary"]

DIGITS = 3


def estimates_table(result: FitResult) -> pd.DataFrame:
    """Make the table of estimates.

    Parameters
    ----------
    result : FitResult
        As returned by `fit`.

    Returns
    -------
    pandas.DataFrame
        Texts, a row per parameter: estimate, 95 % interval (an end that is a bound has < or >), unit, CV (standard
        error of the logarithm) and bounds.
    """
    import pandas as pd

    rows = result.estimates
    return pd.DataFrame(
        {
            "estimate": [_number(value) for value in rows["value"]],
            "95 %": [_interval(row) for _, row in rows.iterrows()],
            "unit": [unit if unit != "1" else "" for unit in rows["unit"]],
            "CV": [f"{100 * error:.0f} %" if error < 1 else "> 100 %" for error in rows["se_log"]],
            "bounds": [f"{_number(low)} to {_number(high)}" for low, high in rows[["lower", "upper"]].to_numpy()],
        },
        index=rows.index,
    )


def data_table(result: FitResult) -> pd.DataFrame:
    """Make the table of data and predictions.

    Parameters
    ----------
    result : FitResult
        As returned by `fit`.

    Returns
    -------
    pandas.DataFrame
        Texts, a row per datum: output, observed, predicted, unit, residual (in errors) and use.
    """
    import pandas as pd

    rows = result.predictions
    return pd.DataFrame(
        {
            "output": [f"{row.output} {row.what}" for row in rows.itertuples()],
            "observed": [_number(value) for value in rows["observed"]],
            "predicted": [_number(value) for value in rows["predicted"]],
            "unit": [unit if unit != "1" else "" for unit in rows["unit"]],
            "residual": ["" if np.isnan(value) else _signed(value) for value in rows["residual"]],
            "use": rows["use"],
        },
        index=rows.index,
    )


def summary(result: FitResult) -> str:
    """Say how good the fit is, and how many starts found it.

    Parameters
    ----------
    result : FitResult
        As returned by `fit`.

    Returns
    -------
    str
        Two sentences.
    """
    used = int((result.predictions["use"] == "fit").sum())
    return (
        f"{used} data, {len(result.estimates)} estimates: chi-square {result.chi2:.3g} with "
        f"{result.degrees_of_freedom} degrees of freedom. {result.agreeing} of {result.tried} starts reached this "
        "optimum."
    )


def _signed(value: float) -> str:
    """With its sign, and one digit after the point; what rounds to zero has none."""
    return f"{value:+.1f}" if round(value, 1) else "0.0"


def _number(value: float) -> str:
    return f"{value:.{DIGITS}g}" if abs(value) < 10**DIGITS or abs(value) >= 1e6 else f"{value:.0f}"


def _interval(row: Any) -> str:
    low = ("< " if row["open_below"] else "") + _number(row["low"])
    return f"{low} to {'> ' if row['open_above'] else ''}{_number(row['high'])}"
