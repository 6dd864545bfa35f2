"""What a simulated day amounts to: peaks, hours over a threshold, rebound against the drug-free twin, exposure.

Reads only the result Dataset, so a result opened from a file is summarised like a fresh one. All metrics are of one
person (`families` says how each is computed); `over_people` summarises them afterwards, so that a ratio is never taken
between averages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.attributes import RELATIVE_TO, evidence_tags, inputs_of_output
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.measuring import Curves, Measured, measured
from ldnsim.metrics.mesh import COINCIDENT, Mesh
from ldnsim.metrics.outputs import kind_in, output_of, outputs_in, pieces_name, twin_name
from ldnsim.metrics.recorded import mesh_in, signal_in, spread
from ldnsim.metrics.signal import Signal, sampled

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

NO_MECHANISM = "no mechanism in the model"
TAGS = ("measured", "fitted", "hypothesis")  # strongest first


def summarize(result: xr.Dataset, window: tuple[float, float] | None = None) -> xr.Dataset:
    """Metrics of every output over a window.

    Parameters
    ----------
    result : xarray.Dataset
        A result of `simulate`, fresh or opened from a file.
    window : (float, float), optional
        Start and end, h since midnight of day 1. Default: the window of the result (attribute `window`), else the last
        whole day simulated.

    Returns
    -------
    xarray.Dataset
        Variables `<output>_<metric>`, with the dims of the output except time, and `units` and `long_name` as
        attributes. A metric that need not exist has `<output>_<metric>_reason`, "" where there is a value. Hours are
        within the window, whatever its length. People without a solution are NaN. They are read off the curves that
        the solver recorded over the window of the result, and any part of it (attribute `metrics_from`: "curves");
        over other windows, off straight lines between samples ("samples").

    Raises
    ------
    LdnsimError
        If `result` is not a result, or if the window is empty or reaches outside the simulation.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> table = ldn.summarize(ldn.simulate(ldn.load_scenario("night_vs_morning")))
    >>> table["mu_occupancy_mean"].sel(account="pet_pool", arm="night").round(2).item()
    0.67
    """
    start, end = _window(result, window)
    table = result[[name for name in ("status", "reason") if name in result]].copy()
    table.attrs = {**result.attrs, "window": [start, end]}
    outputs = outputs_in(result)
    if not outputs:
        return table
    blocking = next((name for name in outputs if kind_in(result, name).is_blockade), None)
    like = result[outputs[0]].isel(time=0, drop=True)
    unsolved = _unsolved(result, like)
    silent = _silent(result, like)
    doses = lru_cache(lambda inputs: _doses(result, like, inputs))  # most outputs are about the same ones
    source = _recorded(result, like, (start, end)) or _between_samples(result, like, (start, end))
    table.attrs["metrics_from"] = source.what
    curves = {name: _curves(result, name, source, doses) for name in outputs}
    found: dict[str, xr.Variable] = {}
    for found_here in measured(source.mesh, curves, (start, end), _first_arm(like, np.arange(like.size))):
        output, metric = found_here.output, found_here.metric
        name, attrs = f"{output}_{metric}", labels(result, output, metric, blocking)
        values, reason = judged(found_here, unsolved, silent if curves[output].kind.needs_mechanism else None)
        found[name] = xr.Variable(like.dims, values.reshape(like.shape), attrs)
        if reason is not None:
            attrs = {"long_name": f"Why there is no {name}"}
            found[f"{name}_reason"] = xr.Variable(like.dims, reason.reshape(like.shape), attrs)
    return table.assign_coords(like.coords).assign(found)


def judged(
    found: Measured, unsolved: Texts | None, silent: NDArray[np.bool_] | None = None
) -> tuple[Floats, Texts | None]:
    """The values (rows,) with NaN where there is a reason against them, and the reasons; `unsolved` (rows,) says who
    has no solution, None that everybody has one, `silent` (rows,) of whom the model has nothing to say."""
    if found.reason is None and (silent is None or not silent.any()):
        return found.values if unsolved is None else np.where(unsolved == "", found.values, np.nan), None
    reason = np.full(found.values.shape, "", dtype=object) if found.reason is None else found.reason.copy()
    if unsolved is not None:
        reason = np.where(unsolved != "", unsolved, reason)
    if silent is not None:
        reason[silent] = NO_MECHANISM
    reason[np.isnan(found.values) & ~reason.astype(bool)] = "the output has missing values"
    return np.where(reason.astype(bool), np.nan, found.values), reason


def over_people(table: xr.Dataset, quantiles: Sequence[float] = (0.05, 0.5, 0.95)) -> xr.Dataset:
    """Quantiles over `subject` of each metric in a table from `summarize`; adds the dim `quantile`.

    People without a value are left out: `n_solved` counts those whose simulation succeeded, `<output>_<metric>_n`
    those who have a metric that can be impossible. Clock times are taken around their circular mean, so that 23:50
    and 00:10 average to midnight. Raises LdnsimError without people, or for a quantile outside 0 to 1.
    """
    if "subject" not in table.dims:
        raise LdnsimError(
            "This table has no people: expected a dimension 'subject', from a scenario with a population."
        )
    levels = np.asarray(quantiles, dtype=float)
    if levels.ndim != 1 or levels.size == 0 or not np.all((levels >= 0) & (levels <= 1)):
        raise LdnsimError(f"Quantiles {quantiles!r} were asked for; expected one or more numbers from 0 to 1.")
    summary = xr.Dataset(coords={"quantile": levels}, attrs=dict(table.attrs))
    if "status" in table:
        summary["n_solved"] = (table["status"] == 0).sum("subject")
        summary["n_solved"].attrs = {"units": "1", "long_name": "People whose simulation succeeded"}
    for name, data in table.data_vars.items():
        if "metric" not in data.attrs or "subject" not in data.dims:
            continue
        like = data.isel(subject=0, drop=True)
        values = data.transpose(*like.dims, "subject").to_numpy()
        found = _quantiles(values, levels, circular=is_clock(data.attrs["metric"]))
        coords = {**like.coords, "quantile": levels}
        summary[name] = xr.DataArray(found, coords, (*like.dims, "quantile"), attrs=data.attrs)
        if f"{name}_reason" in table:
            summary[f"{name}_n"] = data.notnull().sum("subject")
            summary[f"{name}_n"].attrs = {"units": "1", "long_name": f"People who have {name}"}
    return summary


def _quantiles(values: Floats, levels: Floats, *, circular: bool) -> Floats:
    """Quantiles over the last axis without NaN, shape (..., level); NaN where nobody has a value."""
    known = np.isfinite(values)
    someone = known.any(axis=-1, keepdims=True)
    filled = np.where(someone, values, 0.0)
    if not circular:
        found = np.nanquantile(filled, levels, axis=-1)
    else:
        angle = np.where(known, values, 0.0) * (2.0 * np.pi / 24.0)
        mean = np.arctan2((np.sin(angle) * known).sum(axis=-1), (np.cos(angle) * known).sum(axis=-1))
        centre = mean * 24.0 / (2.0 * np.pi)
        found = (centre + np.nanquantile((filled - centre[..., None] + 12.0) % 24.0 - 12.0, levels, axis=-1)) % 24.0
    return np.where(someone, np.moveaxis(found, 0, -1), np.nan)


def _window(result: xr.Dataset, window: tuple[float, float] | None) -> tuple[float, float]:
    """Start and end of the window, h."""
    if "time" not in result.coords or result["time"].ndim != 1 or result.sizes["time"] == 0:
        found = ", ".join(map(str, result.coords)) or "none"
        raise LdnsimError(f"This dataset is no simulation result: expected a coordinate 'time' in h, found {found}.")
    time = result["time"].to_numpy().astype(float)
    first, last = float(time[0]), float(time[-1])
    midnight = last // 24.0 * 24.0
    whole_day = (midnight - 24.0, midnight) if midnight - 24.0 >= first else (first, last)
    asked = result.attrs.get("window", whole_day) if window is None else window
    if np.shape(asked) != (2,):
        raise LdnsimError(f"The metrics window is {asked!r}; expected two times in h, its start and its end.")
    start, end = (float(edge) for edge in asked)
    if not start < end:
        raise LdnsimError(
            f"The metrics window from {start:g} h to {end:g} h is empty; expected an end after its start."
        )
    if start < first or end > last:
        raise LdnsimError(
            f"The metrics window from {start:g} h to {end:g} h reaches outside the simulation; "
            f"expected times from {first:g} h to {last:g} h."
        )
    return start, end


def silent_arms(result: xr.Dataset) -> dict[str, str]:
    """The arms of which the model says nothing beyond concentrations, and why."""
    found = json.loads(str(result.attrs.get("no_mechanism", "{}")))
    return {str(arm): str(why) for arm, why in found.items()}


def _silent(result: xr.Dataset, like: xr.DataArray) -> NDArray[np.bool_] | None:
    """The rows of which the model has nothing to say; None where there are none."""
    arms = list(silent_arms(result))
    if not arms or "arm" not in like.dims:
        return None
    return spread(like["arm"].isin(arms), like).reshape(-1).astype(bool)


def _first_arm(like: xr.DataArray, rows: NDArray[np.int_]) -> NDArray[np.int_]:
    """For each row that of the same account and person in the first arm."""
    if "arm" not in like.dims:
        return rows
    shaped = rows.reshape(like.shape)
    return np.broadcast_to(shaped.take([0], axis=like.get_axis_num("arm")), like.shape).reshape(-1)


@dataclass(frozen=True)
class _Source:
    """Where curves come from, in words; the mesh of all rows, and how to get the values (pieces, nodes) of an output or
    a twin on it."""

    what: str
    mesh: Mesh
    values: Callable[[str], Floats]


def _recorded(result: xr.Dataset, like: xr.DataArray, window: tuple[float, float]) -> _Source | None:
    """The curves as the solver recorded them; None where the result does not hold them over the whole window."""
    if not all(pieces_name(name) in result for name in outputs_in(result)):
        return None
    stored = mesh_in(result, like)
    if stored is None:
        return None
    mesh, parent = stored.cut_at(*window)
    missing = mesh.total(mesh.width * mesh.within(*window)) - (window[1] - window[0])
    if np.any(np.abs(missing) > COINCIDENT):
        return None

    def values(name: str) -> Floats:
        found = signal_in(result, name, like, stored)
        return (found if mesh is stored else found.on(mesh, parent)).values

    return _Source("curves", mesh, values)


def _between_samples(result: xr.Dataset, like: xr.DataArray, window: tuple[float, float]) -> _Source:
    """The curves as straight lines between samples: all that is known of windows that were not recorded."""
    time = result["time"].to_numpy().astype(float)
    edges = np.unique(np.concatenate([time, window]))

    def signal(name: str) -> Signal:
        rows = spread(result[name], like, "time").astype(float, copy=False).reshape(like.size, -1)
        falls_exponentially = kind_in(result, output_of(name)).reads_past_window  # concentrations
        return sampled(time, rows, edges, logarithmic=falls_exponentially)

    return _Source("samples", signal(outputs_in(result)[0]).mesh, lambda name: signal(name).values)


def _curves(result: xr.Dataset, name: str, source: _Source, doses: Callable[[tuple[str, ...]], Floats]) -> Curves:
    """An output of every person and arm, a row each, with its drug-free twin."""
    twin = source.values(twin_name(name)) if twin_name(name) in result else None
    taken = doses(tuple(inputs_of_output(result[name])))
    return Curves(source.values(name), twin, kind_in(result, name), result[name].attrs.get(RELATIVE_TO), taken)


def _doses(result: xr.Dataset, like: xr.DataArray, inputs: tuple[str, ...]) -> Floats:
    """Times, h, of the doses above zero of some inputs (none named: of any), (rows, dose), NaN-padded."""
    if "dose_time" not in result:
        return np.full((like.size, 1), np.nan)
    taken = spread(result["dose_time"], like, "dose").astype(float)
    if "dose_amount" in result:
        taken[~(spread(result["dose_amount"], like, "dose") > 0)] = np.nan
    if inputs and "dose_input" in result:
        taken[~np.isin(spread(result["dose_input"], like, "dose").astype(str), inputs)] = np.nan
    return taken.reshape(like.size, taken.shape[-1])


def _unsolved(result: xr.Dataset, like: xr.DataArray) -> Texts | None:
    """Why there is no solution, a row each; "" where there is one, None where all have one."""
    if "status" not in result or not (result["status"] != 0).any():
        return None
    status, reason = spread(result["status"], like), spread(result["reason"], like).astype(object)
    found = np.full(like.shape, "", dtype=object)
    found[status != 0] = "not solved: " + reason[status != 0]
    return found.reshape(-1)


def labels(result: xr.Dataset, name: str, metric: str, blocking: str | None) -> dict[str, str]:
    """Labels of a metric; its evidence tags are those of the output, or of the blockade it also rests on if weaker."""
    source, entry = result[name].attrs, metric_named(metric)
    assert entry is not None  # it was computed from the registry
    tags = evidence_tags(source)
    if entry.rests_on_blockade and blocking is not None:
        other = result[blocking].attrs
        tags = {key: max(tag, other.get(key, tag), key=TAGS.index) for key, tag in tags.items()}
    return {
        "output": name,
        "metric": metric,
        "kind": str(source.get("kind", "other")),
        "units": entry.unit.format(source.get("units", "1")),
        "long_name": f"{source.get('long_name', name)}: {entry.title}",
        **tags,
    }


def is_clock(metric: object) -> bool:
    """Whether a metric is a time on the clock, where 23.9 h is next to 0.1 h."""
    entry = metric_named(metric)
    return entry is not None and entry.comparison == "clock"
