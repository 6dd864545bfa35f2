"""The answer in words: one sentence or two per account, from the metrics table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.results import stated

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["answers"]

MOST_ARMS_LISTED = 3
REBOUND = 0.02  # a ratio to the drug-free twin above 1 + this counts as a rebound
DAY = 24.0


def answers(result: xr.Dataset, table: xr.Dataset) -> list[str]:
    """One text per account of a result and its table of metrics (`summarize`); people count by their median, and
    what is uncertain by its stated values."""
    result, table = stated(result), stated(table)
    window = table.attrs.get("window", result.attrs["window"])
    span = "a day" if window[1] - window[0] == DAY else f"of the {window[1] - window[0]:g} h"
    failed = table.status != 0
    typical = table.drop_vars([name for name in table if table[name].dtype.kind not in "fi"])
    titles = list(json.loads(result.attrs["arm_titles"]).values())
    if len(set(titles)) == len(titles):
        typical = typical.assign_coords(arm=titles)
    if "subject" in typical.dims:
        typical = typical.where(~failed).median("subject")
    texts = []
    for account in result.account.values:
        lost = failed.sel(account=account)
        if bool(lost.all()):
            texts.append(f"{account}: None of its runs could be solved.")
            continue
        solved = ~lost.all([dim for dim in lost.dims if dim != "arm"])
        here = typical.sel(account=account).isel(arm=np.flatnonzero(solved))
        parts = [
            part
            for part in (
                _tone(result, here, str(account), span),
                _blockade(result, here, str(account), span),
                _exposure(result, here),
            )
            if part
        ]
        if bool(lost.any()):
            parts.append(f"{int(lost.sum())} of {lost.size} runs could not be solved.")
        lead = f"(median of {lost.size // lost.sizes['arm']} people) " if "subject" in lost.dims else ""
        texts.append(f"{account}: {lead}" + " ".join(parts))
    return texts


def _of_kind(result: xr.Dataset, kind: str) -> list[str]:
    return [
        str(name)
        for name, variable in result.data_vars.items()
        if variable.attrs.get("kind") == kind and not str(name).endswith("_drug_free")
    ]


def _tone(result: xr.Dataset, table: xr.Dataset, account: str, span: str) -> str:
    """Whether the ratio to the drug-free twin rises above 1, for how long, and what is left on average."""
    outputs = _of_kind(result, "endogenous")
    outputs.sort(key=lambda name: result[name].attrs.get("relative_to") != "drug_free")  # a tone before a level
    if not outputs:
        return ""
    name = outputs[0]
    title, tag = (
        result[name].attrs["long_name"],
        result[name].attrs.get(f"evidence_{account}", result[name].attrs["evidence"]),
    )
    peak, duration, mean = (table[f"{name}_{metric}"] for metric in ("rebound_peak", "rebound_hours", "mean"))
    lead = f"{title} ({tag}) "
    rises = peak > REBOUND
    if not bool(rises.any()):
        return lead + f"never rises above its drug-free level; its mean is {_list(mean, '{:.2f}')} of it."
    if table.sizes["arm"] <= MOST_ARMS_LISTED:
        told = [
            f"{arm} +{100 * float(peak.sel(arm=arm)):.0f} % at most, "
            f"above +2 % for {float(duration.sel(arm=arm)):.1f} h {span}"
            if bool(rises.sel(arm=arm)) else f"{arm} none"
            for arm in table.arm.values
        ]  # fmt: skip
        return lead + f"rebounds: {'; '.join(told)}; its mean is {_list(mean, '{:.2f}')} of the drug-free one."
    best = table.arm.values[int(np.nanargmax(peak.values))]
    none = [str(arm) for arm in table.arm.values if not bool(rises.sel(arm=arm))]
    absent = f", and there is none with {', '.join(none)}" if none else ""
    return (
        lead
        + f"rebounds most with {best} (+{100 * float(peak.max()):.0f} % at most, "
        + f"{float(duration.sel(arm=best)):.1f} h {span}){absent}."
    )


def _blockade(result: xr.Dataset, table: xr.Dataset, account: str, span: str) -> str:
    outputs = _of_kind(result, "blockade")
    if not outputs:
        return ""
    name = outputs[0]
    free, low, high = (table[f"{name}_{metric}"] for metric in ("unblocked_hours", "trough", "peak"))
    tag = result[name].attrs.get(f"evidence_{account}", result[name].attrs["evidence"])
    lead = f"Receptors ({tag}) are"
    edges = f"between {100 * float(low.min()):.0f} and {100 * float(high.max()):.0f} %"
    if not bool((free > 0).any()):
        return f"{lead} never free: blockade stays {edges}."
    if table.sizes["arm"] <= MOST_ARMS_LISTED:
        return f"{lead} free (blockade under 20 %) for {_list(free, '{:.1f} h')} {span}."
    hours = f"{float(free.min()):.1f} to {float(free.max()):.1f} h {span}"
    return f"{lead} free (blockade under 20 %) for {hours}, depending on the arm."


def _exposure(result: xr.Dataset, table: xr.Dataset) -> str:
    """Concentrations answer only where nothing further down the road is reported."""
    outputs = _of_kind(result, "concentration")
    if not outputs or _of_kind(result, "endogenous"):
        return ""
    name = outputs[0]
    unit = result[name].attrs["units"]
    return f"{result[name].attrs['long_name']} peaks at {_list(table[f'{name}_Cmax'], '{:.3g}')} {unit}."


def _list(values: xr.DataArray, pattern: str) -> str:
    """One number where all arms agree as printed, a range for many arms, else a number per arm."""
    texts = [pattern.format(float(value)) for value in values.values]
    if len(set(texts)) == 1:
        return texts[0]
    if len(texts) > MOST_ARMS_LISTED:
        return f"{pattern.format(float(values.min()))} to {pattern.format(float(values.max()))}"
    return ", ".join(f"{text} ({arm})" for text, arm in zip(texts, values.arm.values, strict=True))
