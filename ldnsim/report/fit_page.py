"""The page of a fit: estimates, identifiability, predicted against observed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.library.files import library
from ldnsim.plots import predicted_observed, residuals
from ldnsim.report.page_figures import page_figure
from ldnsim.report.rendering import rendered_page
from ldnsim.simulation.provenance import DISCLAIMER

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.calibration.fitting import FitResult

__all__ = ["fit_page"]


def fit_page(result: FitResult, data: pd.DataFrame, estimates: pd.DataFrame) -> str:
    """Write the page as HTML.

    Parameters
    ----------
    result : FitResult
        As returned by `fit`.
    data, estimates : pandas.DataFrame
        As returned by `data_table` and `estimates_table`.

    Returns
    -------
    str
        HTML; the same input gives the same bytes.
    """
    record = result.fit
    drawn = [(predicted_observed, "predicted-observed")]
    if result.predictions["residual"].notna().any():
        drawn.append((residuals, "residuals"))
    name = record.name if record.name in library("fits") else f"{record.name}.yaml"
    return rendered_page(
        "fit",
        kicker=f"fit {record.name}",
        title=record.question,
        disclaimer=DISCLAIMER,
        cannot_say=record.cannot_say,
        has_contents=False,
        estimates=estimates,
        statements=result.statements,
        figures=[page_figure(make(result.predictions), key) for make, key in drawn],
        data=data,
        command=f"ldnsim fit {name}",
        provenance={key: value for key, value in result.provenance.items() if key != "fit_text"},
        fit_text=record.text,
    )
