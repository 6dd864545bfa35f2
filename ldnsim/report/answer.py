"""The answer in words: one sentence or two per account, from the metrics table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.metrics.attributes import evidence_of
from ldnsim.metrics.families.endogenous import REBOUND, RISE
from ldnsim.metrics.outputs import outputs_where, tone_first
from ldnsim.metrics.summary import NO_MECHANISM, silent_arms
from ldnsim.model.output_kinds import FREE_BELOW
from ldnsim.simulation.result import stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

__all__ = ["answers"]

MAX_ARMS_LISTED = 3
NEARLY_ALL = 0.99  # fraction of the largest effect from which the first arm counts as the largest
MAX_EFFECTS_LISTED = 8  # arms, where each is an answer of its own
DIFFERENT = 0.05  # of receptors: arms whose blockade differs by more are listed one by one
DAY = 24.0


def answers(result: xr.Dataset, table: xr.Dataset) -> list[str]:
    """Answer the question of a run in a sentence or two per account.

    Values of a population are medians; uncertain parameters have their stated values.

    Parameters
    ----------
    result : xarray.Dataset
        As returned by `simulate`.
    table : xarray.Dataset
        Its metrics, as returned by `summarize`.

    Returns
    -------
    list of str
        One text per account, which starts with the name of the account.
    """
    result, table = stated(result), stated(table)
    window = table.attrs.get("window", result.attrs["window"])
    span = "a day" if window[1] - window[0] == DAY else f"of the {window[1] - window[0]:g} h"
    failed = table.status != 0
    typical = table.drop_vars([name for name in table if table[name].dtype.kind not in "fi"])
    if "subject" in typical.dims:
        typical = typical.where(~failed).median("subject")
    titles = json.loads(result.attrs["arm_titles"])
    silent = [titles.get(arm, arm) for arm in silent_arms(result)]
    if len(set(titles.values())) == len(titles):
        typical = typical.assign_coords(arm=list(titles.values()))
    texts = []
    for account in result.account.values:
        unsolved = failed.sel(account=account)
        if bool(unsolved.all()):
            texts.append(f"{account}: None of its runs could be solved.")
            continue
        solved = ~unsolved.all([dim for dim in unsolved.dims if dim != "arm"])
        solved &= ~result.arm.isin(list(silent_arms(result)))
        here = typical.sel(account=account).isel(arm=np.flatnonzero(solved))
        sentences = [
            *_effects(result, here, str(account), span),
            _tone(result, here, str(account), span),
            _blockade(result, here, str(account), span),
            _exposure(result, here),
        ]
        parts = [sentence for sentence in sentences if sentence] if here.sizes["arm"] else []
        parts += [f"{title}: {NO_MECHANISM}, so no number." for title in silent]
        if bool(unsolved.any()):
            parts.append(f"{int(unsolved.sum())} of {unsolved.size} runs could not be solved.")
        lead = f"(median of {unsolved.size // unsolved.sizes['arm']} people) " if "subject" in unsolved.dims else ""
        texts.append(f"{account}: {lead}" + " ".join(parts))
    return texts


def _effects(result: xr.Dataset, table: xr.Dataset, account: str, span: str) -> Iterator[str]:
    """The peak of each effect in each arm; if the first arm has the largest, how far and how long the others lower it,
    else the time of each peak."""
    for name in outputs_where(result, "is_effect"):
        metrics = ("peak", "hours_to_peak", "halved_hours", "least_of_first")
        peak, when, halved, least = (table[f"{name}_{metric}"] for metric in metrics)
        tag = evidence_of(result[name], account)
        lead = f"{result[name].attrs['long_name']} ({tag})"
        if not bool((peak > 0).any()):
            yield f"{lead} stays at 0."
            continue
        if table.sizes["arm"] > 1 and float(peak[0]) >= NEARLY_ALL * float(peak.max()):
            others = [
                f"{arm} falls to {100 * float(lowest):.0f} %"
                + (f", below half for {float(hours):.1f} h {span}" if float(hours) > 0 else "")
                for arm, lowest, hours in zip(table.arm.values[1:], least[1:], halved[1:], strict=True)
            ]
            peaks = _list(100 * peak, "{:.1f} %", MAX_EFFECTS_LISTED)
            yield f"{lead} peaks at {peaks}. Relative to {table.arm.values[0]} at that time: {'; '.join(others)}."
        else:
            arms = [
                f"{100 * float(top):.1f} % after {float(hours):.1f} h ({arm})" if float(top) > 0 else f"0 % ({arm})"
                for arm, top, hours in zip(table.arm.values, peak, when, strict=True)
            ]
            yield f"{lead} peaks at {', '.join(arms)}; times are from the start of the window."


def _tone(result: xr.Dataset, table: xr.Dataset, account: str, span: str) -> str:
    """Whether the ratio to the drug-free twin rises above 1, for how long, and its mean."""
    outputs = tone_first(result)
    if not outputs:
        return ""
    name = outputs[0]
    title, tag = (
        result[name].attrs["long_name"],
        evidence_of(result[name], account),
    )
    peak, duration, mean = (table[f"{name}_{metric}"] for metric in ("rebound_peak", "rebound_hours", "mean"))
    lead = f"{title} ({tag}) "
    rises = peak > REBOUND
    if not bool(rises.any()):
        return lead + f"never rises above its drug-free level; its mean is {_list(mean, '{:.2f}')} of it."
    if table.sizes["arm"] <= MAX_ARMS_LISTED:
        rebounds = [
            f"{arm} +{100 * float(peak.sel(arm=arm)):.0f} % at most, "
            f"above {RISE} for {float(duration.sel(arm=arm)):.1f} h {span}"
            if bool(rises.sel(arm=arm)) else f"{arm} none"
            for arm in table.arm.values
        ]  # fmt: skip
        return lead + f"rebounds: {'; '.join(rebounds)}; its mean is {_list(mean, '{:.2f}')} of the drug-free level."
    best = table.arm.values[int(np.nanargmax(peak.values))]
    none = [str(arm) for arm in table.arm.values if not bool(rises.sel(arm=arm))]
    absent = f", and not with {', '.join(none)}" if none else ""
    return (
        lead
        + f"rebounds most with {best} (+{100 * float(peak.max()):.0f} % at most, "
        + f"{float(duration.sel(arm=best)):.1f} h {span}){absent}."
    )


def _blockade(result: xr.Dataset, table: xr.Dataset, account: str, span: str) -> str:
    outputs = list(outputs_where(result, "is_blockade"))
    if not outputs or not bool((table[f"{outputs[0]}_peak"] > 0).any()):
        return ""
    name = outputs[0]
    free, low, high = (table[f"{name}_{metric}"] for metric in ("unblocked_hours", "trough", "peak"))
    tag = evidence_of(result[name], account)
    lead = f"Receptors ({tag}) are"
    if any(outputs_where(result, "is_effect")) and table.sizes["arm"] > MAX_ARMS_LISTED:
        return ""  # with so many arms the effects say how well they block
    if not bool((free > 0).any()):
        different = max(float(low.max() - low.min()), float(high.max() - high.min())) > DIFFERENT
        if different and table.sizes["arm"] <= MAX_ARMS_LISTED:
            edges = [
                f"{100 * float(bottom):.0f} and {100 * float(top):.0f} % ({arm})"
                for bottom, top, arm in zip(low, high, table.arm.values, strict=True)
            ]
            return f"{lead} never unblocked: blockade stays between {', '.join(edges)}."
        ends = f"{100 * float(low.min()):.0f} and {100 * float(high.max()):.0f} %"
        return f"{lead} never unblocked: blockade stays between {ends}{', depending on the arm' if different else ''}."
    if table.sizes["arm"] <= MAX_ARMS_LISTED:
        return f"{lead} unblocked (blockade below {100 * FREE_BELOW:g} %) for {_list(free, '{:.1f} h')} {span}."
    hours = f"{float(free.min()):.1f} to {float(free.max()):.1f} h {span}"
    return f"{lead} unblocked (blockade below {100 * FREE_BELOW:g} %) for {hours}, depending on the arm."


def _exposure(result: xr.Dataset, table: xr.Dataset) -> str:
    """Peak and exposure relative to the first arm; only where neither an effect nor tone is reported."""
    outputs = list(outputs_where(result, "reads_past_window"))
    if not outputs or any(outputs_where(result, "says_tone")) or any(outputs_where(result, "is_effect")):
        return ""
    name = outputs[0]
    unit, peak, area = result[name].attrs["units"], table[f"{name}_Cmax"], table[f"{name}_AUC_tau"]
    text = f"{result[name].attrs['long_name']} peaks at {_list(peak, '{:.3g}')} {unit}."
    if table.sizes["arm"] > 1 and float(area[0]) > 0:
        others = _list((area / area[0]).isel(arm=slice(1, None)), "{:.2f}", MAX_EFFECTS_LISTED, always_named=True)
        text += f" Exposure (AUC over the window) relative to {table.arm.values[0]}: {others}."
    return text


def _list(values: xr.DataArray, pattern: str, most: int = MAX_ARMS_LISTED, *, always_named: bool = False) -> str:
    """One number if all arms are equal as printed, a range for more than `most` arms, else a number per arm."""
    texts = [pattern.format(float(value)) for value in values.values]
    if len(set(texts)) == 1 and not (always_named and len(texts) == 1):
        return texts[0]
    if len(texts) > most:
        return f"{pattern.format(float(values.min()))} to {pattern.format(float(values.max()))}"
    return ", ".join(f"{text} ({arm})" for text, arm in zip(texts, values.arm.values, strict=True))
