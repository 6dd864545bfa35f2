"""The tables of a fit as they are printed: numbers rounded to what they are worth, with their units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.calibration.fitting.result import FitResult

__all__ = ["data_table", "estimates_table", "summary"]

DIGITS = 3


def estimates_table(result: FitResult) -> pd.DataFrame:
    """A row per parameter: estimate, 95 % interval (an end that is a bound has < or >), error of the logarithm."""
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
    """A row per datum: what, observed, predicted, residual in errors, use."""
    import pandas as pd

    rows = result.predictions
    return pd.DataFrame(
        {
            "output": [f"{row.output} {row.what}" for row in rows.itertuples()],
            "observed": [_number(value) for value in rows["observed"]],
            "predicted": [_number(value) for value in rows["predicted"]],
            "unit": [unit if unit != "1" else "" for unit in rows["unit"]],
            "off by": ["" if np.isnan(value) else f"{value:+.1f}" for value in rows["residual"]],
            "use": rows["use"],
        },
        index=rows.index,
    )


def summary(result: FitResult) -> str:
    """How good the fit is, and how it was found."""
    used = int((result.predictions["use"] == "fit").sum())
    return (
        f"{used} data, {len(result.estimates)} estimates: chi-square {result.chi2:.3g} with {result.freedom} degrees "
        f"of freedom. {result.agreeing} of {result.tried} starts found this optimum."
    )


def _number(value: float) -> str:
    return f"{value:.{DIGITS}g}" if abs(value) < 10**DIGITS or abs(value) >= 1e6 else f"{value:.0f}"


def _interval(row: Any) -> str:
    low = ("< " if row["open_below"] else "") + _number(row["low"])
    return f"{low} to {'> ' if row['open_above'] else ''}{_number(row['high'])}"
