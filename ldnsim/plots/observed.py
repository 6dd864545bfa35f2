"""Measured data, drawn over simulated curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.plots.input_tables import columns_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ObservedPoints", "observations"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ObservedPoints:
    """Data of one arm ("" for no arm): arrays (n,), time in h since midnight of day 1; NaN for bars without an end."""

    arm: str
    time: Floats
    value: Floats
    low: Floats
    high: Floats


def observations(table: pd.DataFrame, arms: Sequence[str]) -> list[ObservedPoints]:
    """The rows of a table by arm; raises LdnsimError for missing columns and for arms that are not drawn."""
    by_arm = "arm" in table.columns
    found = columns_of(table, ["time", "value"], ["arm"] if by_arm else [], ["low", "high"])
    owners = found.get("arm", np.full(len(table), ""))
    unknown = [name for name in dict.fromkeys(map(str, owners)) if by_arm and name not in arms]
    if unknown:
        expected = f"one of: {', '.join(arms)}"
        raise LdnsimError(
            Fault(f"data for {name!r}, an arm that is not drawn", (), expected, nearest(name, arms)) for name in unknown
        )
    missing = np.full(len(table), np.nan)
    columns = [found.get(name, missing) for name in ("time", "value", "low", "high")]
    return [
        ObservedPoints(str(owner), *(column[owners == owner] for column in columns)) for owner in dict.fromkeys(owners)
    ]
