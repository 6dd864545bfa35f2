"""What a simulated day amounts to: peaks, hours over a threshold, rebound against the drug-free twin, exposure.

Reads only the result Dataset, so a result opened from a file is summarised like a fresh one. All metrics are of one
person; `over_people` summarises them afterwards, so that a ratio is never taken between averages.

Between samples every output is a straight line: a threshold is crossed where that line crosses it, and areas above
and below are split there. Concentration areas are linear-up/log-down instead (see `ldnsim.nca`). A window [a, b] takes
the samples at both ends and interpolates them if there are none; the sample after a dose at b is not part of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ldnsim import nca
from ldnsim.errors import LdnsimError

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]
Metric = tuple[str, Floats, Texts | None]  # name, values, and why there is none (None: the output's values suffice)

UNBLOCKED = 0.20  # blockade under this leaves receptors free
REBOUND = 1.02  # a ratio to the drug-free twin above this is a rebound
NO_MECHANISM = "no mechanism in the model"
SOME = 0.05  # of its own peak: less of an effect is next to nothing
FLAT = 1e-6  # a relative change below this is the solver's, not the output's
TWIN = "_drug_free"
TAGS = ("measured", "fitted", "hypothesis")  # strongest first
CLOCK = ("time_of_peak", "rebound_clock_time")  # hours on a clock, where 23.9 is next to 0.1

# metric: what it is, and its unit ({} is that of the output)
METRICS = {
    "peak": ("highest value", "{}"),
    "trough": ("lowest value", "{}"),
    "mean": ("mean over time", "{}"),
    "time_of_peak": ("clock time of the highest value", "h"),
    "hours_to_peak": ("time of the highest value after the start of the window", "h"),
    "halved_hours": ("hours with less than half of what the first arm has at the same time", "h"),
    "least_of_first": ("lowest share of what the first arm has at the same time", "1"),
    "hours_above_50": ("hours above 50 %", "h"),
    "hours_above_80": ("hours above 80 %", "h"),
    "unblocked_hours": ("hours with blockade under 20 %", "h"),
    "rebound_peak": ("highest excess over the drug-free twin, 0 if never above it", "1"),
    "rebound_clock_time": ("clock time of the highest ratio to the drug-free twin", "h"),
    "rebound_hours": ("hours more than 2 % above the drug-free twin", "h"),
    "rebound_area": ("area of the ratio to the drug-free twin above 1", "h"),
    "suppressed_area": ("area of the ratio to the drug-free twin below 1", "h"),
    "net_area": ("area of the ratio to the drug-free twin above 1 less that below", "h"),
    "mean_while_unblocked": ("mean ratio to the drug-free twin while blockade is under 20 %", "1"),
    "Cmax": ("highest concentration", "{}"),
    "Tmax": ("time of the highest concentration after the dose before it", "h"),
    "AUC_tau": ("area under the curve over the window", "{}*h"),
    "AUC_inf": ("area under the curve from the last dose on, earlier doses' remainder included", "{}*h"),
    "AUC_inf_extrapolated": ("share of AUC_inf beyond the last sample", "1"),
    "t_half": ("terminal half-life after the last dose", "h"),
    "t_half_span": ("half-lives that the terminal slope was seen for; under 2 is little", "1"),
}


def summarize(result: xr.Dataset, window: tuple[float, float] | None = None) -> xr.Dataset:
    """Metrics of every output over `window` (start, end; h since midnight of day 1), dims of the result without time.

    Without `window` it is the result's own (attribute `window`), or else the last whole day simulated. Variables are
    `<output>_<metric>`, with `<output>_<metric>_reason` ("" where a value is given) if the metric can be impossible.
    Hours are hours within the window, whatever its length. People who were not solved have NaN throughout. Raises
    LdnsimError if this is no result, or if the window is empty or reaches outside the simulation.
    """
    grid = _window(result, window)
    table = result[[name for name in ("status", "reason") if name in result]].copy()
    table.attrs = {**result.attrs, "window": [float(grid[0]), float(grid[-1])]}
    outputs = [str(name) for name, data in result.data_vars.items() if "time" in data.dims]
    outputs = [name for name in outputs if not (name.endswith(TWIN) and name.removesuffix(TWIN) in outputs)]
    blocking = next((name for name in outputs if result[name].attrs.get("kind") == "blockade"), None)
    for name in outputs:
        like = result[name].isel(time=0, drop=True)
        silent = _silent(result, name, like)
        unsolved = np.where(silent != "", silent, _unsolved(result, like))
        for metric, values, reason in _metrics(result, name, grid, blocking):
            missing = unsolved
            if reason is not None:
                missing = np.where(unsolved != "", unsolved, reason)
                missing = np.where((missing == "") & np.isnan(values), "the output has missing values", missing)
            attrs = _attrs(result, name, metric, blocking)
            given = np.where(missing == "", values, np.nan)
            table[f"{name}_{metric}"] = xr.DataArray(given, like.coords, like.dims, attrs=attrs)
            if reason is not None or (silent != "").any():
                attrs = {"long_name": f"Why there is no {name}_{metric}"}
                table[f"{name}_{metric}_reason"] = xr.DataArray(missing, like.coords, like.dims, attrs=attrs)
    return table


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
        found = _quantiles(values, levels, circular=data.attrs["metric"] in CLOCK)
        coords = {**like.coords, "quantile": levels}
        summary[name] = xr.DataArray(found, coords, (*like.dims, "quantile"), attrs=data.attrs)
        if f"{name}_reason" in table:
            summary[f"{name}_n"] = data.notnull().sum("subject")
            summary[f"{name}_n"].attrs = {"units": "1", "long_name": f"People who have {name}"}
    return summary


def hours_above(time: Floats, values: Floats, level: float) -> Floats:
    """Hours that `values` (..., n) on `time` (n,), h, spend above `level`, crossings interpolated; shape (...)."""
    return np.asarray((np.diff(time) * _share_above(values - level)).sum(axis=-1))


def area_above(time: Floats, values: Floats, level: float) -> Floats:
    """Area between `values` (..., n) and `level` where they are above it, unit of values times h; shape (...)."""
    above = np.maximum(values - level, 0.0)
    height = (above[..., :-1] + above[..., 1:]) / 2.0
    return np.asarray((np.diff(time) * _share_above(values - level) * height).sum(axis=-1))


def mean_while_below(time: Floats, values: Floats, gate: Floats, level: float) -> Floats:
    """Mean over time of `values` (..., n) while `gate` (..., n) is below `level`, NaN if never; shape (...)."""
    share = _share_above(level - gate)
    # The part of an interval that counts lies at its start if the gate is open there, else at its end.
    middle = np.where(gate[..., :-1] < level, share / 2.0, 1.0 - share / 2.0)
    hours = np.diff(time) * share
    area = (hours * (values[..., :-1] + np.diff(values) * middle)).sum(axis=-1)
    total = hours.sum(axis=-1)
    return np.asarray(np.divide(area, total, out=np.full_like(total, np.nan), where=total > 0))


def _share_above(excess: Floats) -> Floats:
    """Share of each interval between samples in which a straight line through `excess` (..., n) is above 0."""
    positive, size = np.maximum(excess, 0.0), np.abs(excess)
    total = size[..., :-1] + size[..., 1:]
    share = positive[..., :-1] + positive[..., 1:]
    return np.asarray(np.divide(share, total, out=np.zeros_like(total), where=total != 0))


def _area(time: Floats, values: Floats) -> Floats:
    return np.asarray((np.diff(time) * (values[..., :-1] + values[..., 1:]) / 2.0).sum(axis=-1))


def _time_of_highest(grid: Floats, values: Floats) -> Floats:
    """The first time of the highest value, h; NaN where values are missing, which argmax would take for the highest."""
    return np.where(np.isnan(values).any(axis=-1), np.nan, grid[values.argmax(axis=-1)])


def _metrics(result: xr.Dataset, name: str, grid: Floats, blocking: str | None) -> Iterator[Metric]:
    """Every metric that output `name` has, over the window sampled at `grid`."""
    output = result[name]
    kind, relative_to = output.attrs.get("kind", "other"), output.attrs.get("relative_to")
    like, time = output.isel(time=0, drop=True), output["time"].to_numpy()

    def curves(source: str) -> Floats:
        return _spread(result[source], like, "time").astype(float, copy=False)

    values = nca.read_at(time, curves(name), grid)
    yield from _of_any(grid, values)
    if kind in ("blockade", "occupancy"):
        yield "hours_above_50", hours_above(grid, values, 0.5), None
        yield "hours_above_80", hours_above(grid, values, 0.8), None
    if kind == "blockade":
        yield "unblocked_hours", hours_above(grid, -values, -UNBLOCKED), None
    if kind == "effect":
        first = np.broadcast_to(values.take([0], axis=like.get_axis_num("arm")), values.shape)
        yield from _of_effect(grid, values, first)
    if kind == "endogenous":
        twin = np.ones_like(values) if relative_to == "drug_free" else None
        if twin is None and name + TWIN in result:
            twin = nca.read_at(time, curves(name + TWIN), grid)
        blockade = None if blocking is None else nca.read_at(time, curves(blocking), grid)
        yield from _of_rebound(grid, values, twin, blockade)
    if kind == "concentration":
        doses = _doses(result, like, texts_of(output.attrs.get("inputs", [])))
        yield from _of_concentration(grid, values, doses)
        last_dose, reason = nca.after_last_dose(time, curves(name), doses)
        for metric, found in last_dose.items():
            yield metric, found, reason


def _of_any(grid: Floats, values: Floats) -> Iterator[Metric]:
    peak, trough = values.max(axis=-1), values.min(axis=-1)
    flat = peak - trough <= FLAT * np.maximum(np.abs(peak), np.abs(trough))
    yield "peak", peak, None
    yield "trough", trough, None
    yield "mean", _area(grid, values) / (grid[-1] - grid[0]), None
    yield "time_of_peak", _time_of_highest(grid, values) % 24.0, _text(flat, "the output does not change")


def _of_effect(grid: Floats, values: Floats, first: Floats) -> Iterator[Metric]:
    """When an effect is largest, and how long it is halved against that of the `first` arm at the same time.

    Where the first arm has next to nothing itself (under SOME of its own peak), nothing counts as halved.
    """
    none = _text(values.max(axis=-1) <= 0, "there is no effect")
    yield "hours_to_peak", _time_of_highest(grid, values) - grid[0], none
    peak = first.max(axis=-1)
    halved = np.where(first > SOME * peak[..., None], first / 2.0 - values, -np.abs(first))
    alone = _text(peak <= 0, "the first arm has no effect")
    yield "halved_hours", hours_above(grid, halved, 0.0), alone
    share = np.divide(values, first, out=np.full_like(values, np.inf), where=first > SOME * peak[..., None])
    yield "least_of_first", np.where(peak > 0, share.min(axis=-1), np.nan), alone


def _of_rebound(grid: Floats, values: Floats, twin: Floats | None, blockade: Floats | None) -> Iterator[Metric]:
    """Rebound and suppression, from the ratio of `values` to the drug-free `twin` at the same clock time."""
    ratio = np.full_like(values, np.nan)
    if twin is not None:
        np.divide(values, twin, out=ratio, where=twin > 0)
    top = ratio.max(axis=-1)
    alone = _text(np.full(top.shape, twin is None), "the result holds no drug-free twin of this output")
    never = _text(top <= REBOUND, f"the ratio to the drug-free twin never exceeds {REBOUND:g}")
    yield "rebound_peak", np.maximum(top - 1.0, 0.0), alone
    yield "rebound_clock_time", _time_of_highest(grid, ratio) % 24.0, alone + never
    yield "rebound_hours", hours_above(grid, ratio, REBOUND), alone
    yield "rebound_area", area_above(grid, ratio, 1.0), alone
    yield "suppressed_area", area_above(grid, -ratio, -1.0), alone
    yield "net_area", _area(grid, ratio - 1.0), alone
    gate = np.full_like(values, np.nan) if blockade is None else blockade
    unknown = _text(np.full(top.shape, blockade is None), "the result holds no blockade of receptors")
    blocked = _text(gate.min(axis=-1) >= UNBLOCKED, "blockade never falls under 20 %")
    reason = np.where(alone != "", alone, unknown + blocked)
    yield "mean_while_unblocked", mean_while_below(grid, ratio, gate, UNBLOCKED), reason


def _of_concentration(grid: Floats, values: Floats, doses: Floats) -> Iterator[Metric]:
    """Peak and area over the window; `doses` (..., dose), h, NaN where there is none."""
    cmax, peak_time = values.max(axis=-1), _time_of_highest(grid, values)
    dose = nca.latest_dose(doses, peak_time)
    zero = _text(cmax <= 0, "the concentration is zero")
    undosed = _text((cmax > 0) & np.isnan(dose), "no dose was taken at or before the peak")
    given = np.full(cmax.shape, "", dtype=object)
    yield "Cmax", cmax, given
    yield "Tmax", peak_time - dose, zero + undosed
    yield "AUC_tau", nca.auc(grid, values), given


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


def _window(result: xr.Dataset, window: tuple[float, float] | None) -> Floats:
    """The times, h, that the window is sampled at: its two ends and every sample between."""
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
    return nca.times_between(time, start, end)


def _spread(data: xr.DataArray, like: xr.DataArray, *last: str) -> NDArray[Any]:
    """`data` over all dims of `like`, then `last`: a drug-free twin has no arm, every arm is compared with it."""
    return np.asarray(data.broadcast_like(like).transpose(*like.dims, *last).to_numpy())


def texts_of(attribute: Any) -> list[str]:
    """An attribute that is a list of texts; netCDF hands a list of one back as a text, and none as an empty array."""
    return [attribute] * bool(attribute) if isinstance(attribute, str) else [*map(str, np.ravel(np.asarray(attribute)))]


def _doses(result: xr.Dataset, like: xr.DataArray, inputs: Sequence[str]) -> Floats:
    """Times, h, of all doses above zero of some inputs (none named: any): shape of `like`, then dose; NaN-padded."""
    if "dose_time" not in result:
        return np.full((*like.shape, 1), np.nan)
    taken = result["dose_time"]
    if "dose_amount" in result:
        taken = taken.where(result["dose_amount"] > 0)
    if inputs and "dose_input" in result:
        taken = taken.where(result["dose_input"].isin(inputs))
    return _spread(taken, like, "dose")


def _unsolved(result: xr.Dataset, like: xr.DataArray) -> Texts:
    """Why there is no solution, shape of `like`; "" where there is one."""
    if "status" not in result:
        return np.full(like.shape, "", dtype=object)
    sentence = "not solved: " + _spread(result["reason"], like).astype(object)
    return np.where(_spread(result["status"], like) != 0, sentence, "").astype(object)


def silent_arms(result: xr.Dataset) -> dict[str, str]:
    """The arms of which the model says nothing beyond concentrations, and why."""
    found = json.loads(str(result.attrs.get("no_mechanism", "{}")))
    return {str(arm): str(why) for arm, why in found.items()}


def _silent(result: xr.Dataset, name: str, like: xr.DataArray) -> Texts:
    """Where the model has no mechanism for the doses of an arm, shape of `like`; "" elsewhere."""
    arms = [] if result[name].attrs.get("kind") == "concentration" else list(silent_arms(result))
    there = like["arm"].isin(arms) if "arm" in like.dims else xr.DataArray(False)
    return np.where(_spread(there, like), NO_MECHANISM, "").astype(object)


def _attrs(result: xr.Dataset, name: str, metric: str, blocking: str | None) -> dict[str, str]:
    """Labels of a metric; its evidence tags are those of the output, or of the blockade it also rests on if weaker."""
    source = result[name].attrs
    words, units = METRICS[metric]
    tags = {key: str(tag) for key, tag in source.items() if key == "evidence" or key.startswith("evidence_")}
    if metric == "mean_while_unblocked" and blocking is not None:
        other = result[blocking].attrs
        tags = {key: max(tag, other.get(key, tag), key=TAGS.index) for key, tag in tags.items()}
    return {
        "output": name,
        "metric": metric,
        "units": units.format(source.get("units", "1")),
        "long_name": f"{source.get('long_name', name)}: {words}",
        **tags,
    }


def _text(condition: NDArray[np.bool_], text: str) -> Texts:
    """`text` where `condition` holds, else ""; same shape."""
    return np.where(condition, text, "").astype(object)
