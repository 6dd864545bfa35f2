"""From a result Dataset to the curves of a figure: who was solved, typical course, quantiles, single people."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.metrics.outputs import twin_in
from ldnsim.metrics.summary import NO_MECHANISM, silent_arms
from ldnsim.model.output_kinds import kind_named

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Curve", "chosen", "curves", "first_dose", "number", "output_named", "title_of", "twin_curve"]

Floats = NDArray[np.float64]

SPREAD = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Curve:
    """One account and arm of an output over `time` (n,), h since midnight of day 1; values in the output's unit."""

    account: str
    arm: str
    title: str  # what the arm is called
    time: Floats  # (n,)
    typical: Floats  # (n,): the one person, or the median of all people with a solution
    low: Floats | None  # (n,): 5 % quantile over people; None without a population
    high: Floats | None  # (n,): 95 % quantile over people
    people: Floats  # (k, n): single people; k = 0 without a population
    doses: Floats  # (d,), h, ascending: of the one person, or of the first with a solution
    solved: int
    total: int
    reason: str  # why the first person without values has none; "" if all have values

    @property
    def drawn(self) -> bool:
        return bool(np.isfinite(self.typical).any())


def output_named(result: xr.Dataset, output: str) -> xr.DataArray:
    """The values of an output, dims (account, arm, [subject,] time); raises LdnsimError if it does not exist."""
    outputs = [str(name) for name, data in result.data_vars.items() if {"account", "arm", "time"} <= set(data.dims)]
    if output not in outputs:
        known = ", ".join(outputs) or "none"
        raise LdnsimError(
            Fault(
                f"the result has no output {output!r}",
                expected=f"one of: {known}",
                nearest=nearest(str(output), outputs),
            )
        )
    data = result[output]
    for dim in ("account", "arm", "time"):
        if data.sizes[dim] == 0:
            raise LdnsimError(f"There is nothing to draw: the result's dimension {dim!r} is empty.")
    further = [str(dim) for dim in data.dims if dim not in ("account", "arm", "subject", "time")]
    if further:
        picks = ", ".join(f"{dim}=..." for dim in further)
        raise LdnsimError(
            f"{output!r} has the further dimensions {', '.join(further)}; choose one cell first: result.sel({picks})."
        )
    return data


def chosen(result: xr.Dataset, dim: str, wanted: Sequence[str] | None) -> list[str]:
    """The names of accounts or arms, all for None; raises LdnsimError with the nearest name for unknown ones."""
    known = [str(name) for name in result[dim].values]
    unknown = [name for name in wanted or () if name not in known]
    if unknown or (wanted is not None and not wanted):
        raise LdnsimError(
            [
                Fault(
                    f"the result has no {dim} {name!r}",
                    expected=f"one of: {', '.join(known)}",
                    nearest=nearest(name, known),
                )
                for name in unknown
            ]
            or f"No {dim} was chosen; expected one or more of: {', '.join(known)}."
        )
    return known if wanted is None else list(dict.fromkeys(wanted))


def curves(
    result: xr.Dataset,
    output: str,
    accounts: Iterable[str],
    arms: Sequence[str],
    span: tuple[float, float],
    people: int,
) -> list[Curve]:
    """A curve per account and arm over the samples within `span` (start and end, h), with `people` single people."""
    data = output_named(result, output)
    time = data["time"].to_numpy().astype(float)
    shown = (time >= span[0]) & (time <= span[1])
    return [_curve(result, data, account, arm, time, shown, people) for account in accounts for arm in arms]


def _curve(
    result: xr.Dataset, data: xr.DataArray, account: str, arm: str, time: Floats, shown: NDArray[np.bool_], people: int
) -> Curve:
    here = {"account": account, "arm": arm}
    rows = data.sel(here)
    values = np.atleast_2d(rows.transpose(..., "time").to_numpy().astype(float, copy=False)[..., shown])  # (people, n)
    status = np.atleast_1d(result["status"].sel(here).to_numpy()) if "status" in result else np.zeros(len(values))
    solved = (status == 0) & np.isfinite(values).any(axis=1)
    reasons = np.atleast_1d(result["reason"].sel(here).to_numpy()) if "reason" in result else np.full(len(values), "")
    silent = kind_named(data.attrs.get("kind", "other")).needs_mechanism and arm in silent_arms(result)
    reason = (
        NO_MECHANISM
        if silent
        else next((str(text) for text, fine in zip(reasons, solved, strict=True) if not fine and str(text)), "")
    )
    first = int(np.argmax(solved)) if solved.any() else 0
    values = values if solved.all() else values[solved]
    low, typical, high, few = None, np.full(shown.sum(), np.nan), None, np.empty((0, shown.sum()))
    if "subject" not in rows.dims and len(values):
        typical = values[0]
    elif len(values):
        low, typical, high = np.quantile(values, SPREAD, axis=0)
        few = values[:people]  # people are independent draws, so any of them will do
    return Curve(
        account,
        arm,
        title_of(result, "arm", arm) or arm,
        time[shown],
        typical,
        low,
        high,
        few,
        _doses(result, arm, first),
        int(solved.sum()),
        len(solved),
        reason,
    )


def _doses(result: xr.Dataset, arm: str, person: int) -> Floats:
    if "dose_time" not in result:
        return np.empty(0)
    times = result["dose_time"].sel(arm=arm)
    if "subject" in times.dims:
        times = times.isel(subject=person)
    found = times.to_numpy().astype(float).ravel()
    return np.sort(found[np.isfinite(found)])


def first_dose(result: xr.Dataset, arm: str, inputs: Collection[str] = ()) -> tuple[float, float] | None:
    """Time (h) and amount (in the unit of `dose_amount`) of the first dose of the first person; None without a dose.

    With `inputs`, only doses of these count.
    """
    if "dose_time" not in result or "dose_amount" not in result:
        return None
    columns = [result[f"dose_{what}"].sel(arm=arm) for what in ("time", "amount")]
    if inputs and "dose_input" in result:
        columns = [column.where(result["dose_input"].sel(arm=arm).isin(list(inputs))) for column in columns]
    columns = [column.isel(subject=0) if "subject" in column.dims else column for column in columns]
    times, amounts = (column.to_numpy().astype(float).ravel() for column in columns)
    known = np.flatnonzero(np.isfinite(times) & np.isfinite(amounts))
    return (float(times[known[0]]), float(amounts[known[0]])) if known.size else None


def twin_curve(result: xr.Dataset, output: str, account: str, time: Floats) -> Floats | None:
    """The drug-free twin (median of people) at `time` (n,), h; None if the result has none."""
    twin_data = twin_in(result, output)
    if twin_data is None:
        return None
    twin = twin_data.sel(account=account, time=time)
    values = np.atleast_2d(twin.transpose(..., "time").to_numpy())
    solved = np.isfinite(values).all(axis=1)
    return np.median(values[solved], axis=0) if solved.any() else None


def title_of(dataset: xr.Dataset, dim: str, name: str) -> str:
    """The title of an account or arm (`dim`) of a result or table; "" if it is the name or missing."""
    try:
        titles = json.loads(str(dataset.attrs.get(f"{dim}_titles", "{}")))
    except ValueError:
        return ""
    title = str(titles.get(name, "")) if isinstance(titles, dict) else ""
    return "" if title == name else title


def number(value: Any) -> float | None:
    """An attribute as a float, also from a 0-d or one-element array as files return it; None if it is no number."""
    try:
        flat = np.ravel(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        return None
    return float(flat[0]) if flat.size and np.isfinite(flat[0]) else None
