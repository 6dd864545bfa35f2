"""Blocks into arrays in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.sweeps.layout import Block
    from ldnsim.sweeps.plan import SweepPlan

__all__ = ["Memory"]


class Memory:
    """The whole result as arrays, filled block by block."""

    summarised = False

    def __init__(self, plan: SweepPlan) -> None:
        self.plan = plan
        self._arrays = {
            name: np.full(plan.shape(name), variable.fill, variable.kind) for name, variable in plan.variables.items()
        }

    @property
    def done(self) -> set[int]:
        return set()

    def write(self, block: Block, found: dict[str, np.ndarray]) -> None:
        for name, array in found.items():
            self._arrays[name][self.plan.region(name, block)] = array

    def dataset(self) -> xr.Dataset:
        import xarray as xr  # imported late: it costs half a second

        variables = self.plan.variables
        data = {name: (variables[name].dims, array, variables[name].attrs) for name, array in self._arrays.items()}
        return xr.Dataset(data, self.plan.coords, self.plan.attrs)
