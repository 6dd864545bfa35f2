"""What the figures of a fit share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots.style import COLOURWAY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SYMBOLS", "arm_colours", "refuse_empty", "series_name"]

SYMBOLS = {"fit": "circle", "test": "diamond-open"}


def series_name(arm: str, use: str) -> str:
    return arm if use == "fit" else f"{arm}, not fitted"


def arm_colours(predictions: pd.DataFrame) -> dict[str, str]:
    arms = dict.fromkeys(predictions["arm"])
    return {arm: COLOURWAY[index % len(COLOURWAY)] for index, arm in enumerate(arms)}


def refuse_empty(rows: pd.DataFrame) -> None:
    if rows.empty:
        raise LdnsimError("There is nothing to draw: no datum has a prediction and an error.")
