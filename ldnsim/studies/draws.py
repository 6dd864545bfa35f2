"""A grid of cells x draws of uncertain parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.metrics.summary import over_people
from ldnsim.scenario.changes import Resolved, resolve, settings_of_draw
from ldnsim.scenario.uncertainty import Uncertainty
from ldnsim.studies.request import ListedCells, reasons_of
from ldnsim.sweeps.cells import CELL, cells_of
from ldnsim.sweeps.plan import plan_of
from ldnsim.sweeps.sweep import execute, with_sweep

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["sweep_draws"]

QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class _Drawn(ListedCells):
    """Each row at each draw, draw 0 first; the draws are those of a single run."""

    uncertainty: Uncertainty | None = None

    def changes(self, cell: int) -> dict[str, Any]:
        return self.rows[cell // self._draws]

    @property
    def _draws(self) -> int:
        assert self.uncertainty
        return 1 + self.uncertainty.draws

    def resolved(self, cell: int, scenario: Scenario) -> Resolved:
        found = resolve(scenario.model_copy(update={"uncertainty": self.uncertainty}))
        assert found.uncertainty
        draw = cell % self._draws
        if not draw:
            return replace(found, uncertainty=None)
        settings = settings_of_draw(scenario.model, found.uncertainty, found.settings, draw)
        return replace(found, settings=settings, uncertainty=None)


def sweep_draws(
    scenario: Scenario,
    axes: Mapping[str, Any] | None = None,
    *,
    quantiles: Sequence[float] = QUANTILES,
    workers: int | None = None,
) -> xr.Dataset:
    """Run a grid at every draw of the scenario's `uncertainty`, and summarise metrics as quantiles over the draws.

    The draws are those of `simulate`, to the bit, and the same in all cells.

    Parameters
    ----------
    scenario : Scenario
        A scenario with `uncertainty`.
    axes : mapping, optional
        Axes of a grid, as in `sweep`; default: those of the scenario.
    quantiles : sequence of float
        Quantiles over the draws, 0 to 1.
    workers : int, optional
        Number of threads; default: one per core.

    Returns
    -------
    xarray.Dataset
        Metrics of dims (axes, account, arm, quantile). `<metric>_stated` is the metric with all values as stated,
        `n_solved` counts the draws with a solution, `n_draws` all draws, and `<metric>_n` the draws in which a metric
        exists that need not. With a population each draw counts by the median of its people, and `<metric>_people`
        has the 5, 50 and 95 % quantiles over people with all values as stated (dim `quantile_of_people`), so that
        uncertainty and variability stay apart.

    Raises
    ------
    LdnsimError
        For a scenario without `uncertainty`, a design other than a grid, and everything that `sweep` refuses.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> from ldnsim.scenario.uncertainty import Uncertainty
    >>> uncertainty = Uncertainty(draws=20, parameters=["occupancy.EC50"])
    >>> scenario = ldn.load_scenario("night_vs_morning").model_copy(update={"uncertainty": uncertainty})
    >>> table = ldn.sweep_draws(scenario, {"night.dose": ["3 mg", "4.5 mg"]})
    >>> table["opioid_tone_mean"].dims
    ('night.dose', 'account', 'arm', 'quantile')
    """
    if scenario.uncertainty is None:
        expected = "uncertainty: {draws: 100, parameters: [occupancy.EC50]}, or `sweep`"
        raise LdnsimError(Fault("the scenario states no uncertainty", ("uncertainty",), expected, at_key=True))
    uncertainty = scenario.uncertainty
    checked = with_sweep(scenario.model_copy(update={"uncertainty": None}), axes)
    if checked.design.kind != "grid" or not checked.sweep:
        raise LdnsimError(Fault(f"a design of kind {checked.design.kind}", ("design",), "axes of a grid"))
    resolve(checked.model_copy(update={"uncertainty": uncertainty}))
    grid = cells_of(checked)
    rows = tuple(grid.changes(cell) for cell in range(len(grid)))
    size = len(rows) * (1 + uncertainty.draws)
    people = checked.population is not None or "population.size" in checked.changes
    plan = plan_of(checked, _Drawn((CELL,), (size,), (), rows, uncertainty), keep="quantiles" if people else "metrics")
    table = execute(plan, workers=workers, progress=False)
    shaped = _shaped(table, (*grid.shape, 1 + uncertainty.draws), (*grid.dims, "subject"))
    spread = shaped.isel(subject=slice(1, None))
    middle = spread.sel(quantile=0.5, drop=True) if people else spread
    found = over_people(middle, quantiles)
    if "n_solved" not in found:
        found["n_solved"] = (spread["n_solved"] > 0).sum("subject")
    found["n_solved"].attrs = {"units": "1", "long_name": "Draws whose simulation succeeded"}
    found["n_draws"] = ((), uncertainty.draws, {"units": "1", "long_name": "Draws of what is uncertain"})
    stated = shaped.isel(subject=0)
    for name in [str(name) for name, data in stated.data_vars.items() if "metric" in data.attrs]:
        data = stated[name].rename(quantile="quantile_of_people") if people else stated[name]
        found[f"{name}_stated"] = data.sel(quantile_of_people=0.5, drop=True) if people else data
        if people:
            found[f"{name}_people"] = data
    coords = {name: (dims, values, attrs) for name, (dims, values, attrs) in grid.coordinates().items()}
    found = found.assign_coords(coords)
    failed = {} if people else reasons_of(table)
    found.attrs = {
        **table.attrs, "axes": list(grid.dims), "design": '{"kind":"grid"}', "failed": str(failed or ""),
        "quantiles_over": "draws of what is uncertain",
        "uncertainty": uncertainty.model_dump_json(exclude={"fit"}), "uncertain": list(uncertainty.addresses),
    }  # fmt: skip
    return found


def _shaped(table: xr.Dataset, shape: tuple[int, ...], dims: tuple[str, ...]) -> xr.Dataset:
    """The dim of cells as several dims, with the draws as `subject`, so that `over_people` summarises them."""
    import xarray as xr

    variables = {}
    for name, data in table.data_vars.items():
        if CELL not in data.dims:
            continue
        ordered = data.transpose(CELL, ...)
        rest = ordered.dims[1:]
        values = ordered.to_numpy().reshape(*shape, *ordered.shape[1:])
        variables[str(name)] = xr.Variable((*dims, *rest), values, data.attrs)
    coords = {name: coord for name, coord in table.coords.items() if CELL not in coord.dims}
    return xr.Dataset(variables, coords, table.attrs)
