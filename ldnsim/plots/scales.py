"""Scales of y axes: titles with units, ranges, reference lines, number formats."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ldnsim.metrics.attributes import RELATIVE_TO
from ldnsim.model.baselines import baseline_of
from ldnsim.model.output_kinds import kind_named

__all__ = ["ValueAxis", "label", "scale_of", "unit_words"]

Floats = NDArray[np.float64]

LOWEST = 1e-4  # lower end of a logarithmic axis, as a share of the highest value


@dataclass(frozen=True)
class ValueAxis:
    """The y axis of one output."""

    title: str  # two or three lines, the last one the unit
    tickformat: str
    hover: str  # d3 format of a value
    linear: tuple[float, float]
    log: tuple[float, float]  # in decades
    reference: float | None  # value of the reference line
    reference_label: str  # "" if the axis title says it

    def axis(self, log: bool) -> dict[str, Any]:
        """Settings of the y axis, linear or logarithmic."""
        kind, ends = ("log", self.log) if log else ("linear", self.linear)
        return {"type": kind, "range": list(ends), "tickformat": self.tickformat, "title": {"text": self.title}}


def label(text: object) -> str:
    """Text of a dataset, escaped for plotly, which interprets some HTML."""
    return escape(str(text), quote=False)


def unit_words(attrs: Mapping[str, Any]) -> str:
    """The unit of an output or metric, in words for an axis title."""
    baseline, units = baseline_of(attrs.get(RELATIVE_TO)), str(attrs.get("units", "1"))
    if baseline is not None:
        return baseline.unit
    if kind_named(attrs.get("kind", "other")).is_share:
        return "% of receptors"
    return "no unit" if units in ("1", "") else units


def scale_of(name: str, attrs: Mapping[str, Any], drawn: Floats) -> ValueAxis:
    """The scale of output `name` with its attributes, for all values drawn (any shape, NaN allowed)."""
    kind, baseline = kind_named(attrs.get("kind", "other")), baseline_of(attrs.get(RELATIVE_TO))
    reference, words = kind.reference, kind.reference_label
    if reference is None and baseline is not None:
        reference, words = 1.0, baseline.line
    lines = textwrap.wrap(str(attrs.get("long_name", name)), 26, max_lines=2, placeholder="...")
    title = "<br>".join([*map(label, lines), f"({label(unit_words(attrs))})"])
    whole, from_zero = kind.axis == "whole", kind.axis == "from_zero"
    linear, log = _ranges(drawn[np.isfinite(drawn)], whole, from_zero=from_zero, reference=reference)
    tickformat = "~%" if kind.is_share else "~g"
    return ValueAxis(title, tickformat, ".1%" if kind.is_share else ".3~g", linear, log, reference, words)


def _ranges(
    values: Floats, whole: bool, *, from_zero: bool, reference: float | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """(linear range, log range in decades) that hold all values, and the reference line; `whole`: 0 to 100 %."""
    seen = np.append(values, [] if reference is None else [reference])
    seen = seen if seen.size else np.array([0.0, 1.0])
    low, high = float(seen.min()), float(seen.max())
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    linear = (low - pad, high + pad)
    if whole and low >= 0 and high <= 1:
        linear = (0.0, 1.02)
    elif from_zero and low >= 0:
        linear = (0.0, high + pad)
    positive = seen[seen > 0]
    if not positive.size:
        return linear, (-1.0, 0.0)
    top = float(positive.max())
    bottom = max(float(positive.min()), LOWEST * top)
    spare = max(0.04 * np.log10(top / bottom), 0.02)
    return linear, (float(np.log10(bottom) - spare), float(np.log10(top) + spare))
