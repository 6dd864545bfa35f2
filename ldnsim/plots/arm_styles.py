"""Colour and dash of each arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.plots.curves import first_dose
from ldnsim.plots.style import COLOURWAY, ladder

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ArmStyles", "arm_styles_of"]

DASHES = ("solid", "8px 4px", "2px 3px", "10px 3px 2px 3px")
STEPS = 4  # this many arms with rising first doses count as dose levels


@dataclass(frozen=True)
class ArmStyles:
    """Colour and dash of each arm."""

    colours: dict[str, str]
    dashes: dict[str, str]


def arm_styles_of(result: xr.Dataset) -> ArmStyles:
    """Choose a colour and dash for every arm, the same in all figures of a result.

    Parameters
    ----------
    result : xarray.Dataset
        As returned by `simulate`.

    Returns
    -------
    ArmStyles
        Colours and dashes by arm; dose levels go from light to dark.
    """
    arms = [str(arm) for arm in result["arm"].values]
    amounts = [dose[1] if (dose := first_dose(result, arm)) else np.nan for arm in arms]
    if len(arms) >= STEPS and np.all(np.diff(amounts) > 0):
        return ArmStyles(dict(zip(arms, ladder(len(arms)), strict=True)), dict.fromkeys(arms, "solid"))
    colours = {arm: COLOURWAY[index % len(COLOURWAY)] for index, arm in enumerate(arms)}
    dashes = {
        arm: DASHES[index % len(DASHES) if len(arms) <= len(DASHES) else index // len(COLOURWAY) % len(DASHES)]
        for index, arm in enumerate(arms)
    }
    return ArmStyles(colours, dashes)
