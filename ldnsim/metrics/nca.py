"""Non-compartmental analysis: area under a concentration curve, its terminal slope, and both carried to infinity.

Conventions are those of the standard tools (Phoenix WinNonlin, PKNCA, NonCompart), so that numbers compare:

* area by linear-up/log-down: trapezoids where the curve rises or touches zero, exact for an exponential fall;
* terminal slope by ordinary least squares on the logarithm of the samples from some start after the peak to the last
  one. Every start that leaves at least 3 samples is tried; the highest adjusted R-squared wins, and of those within
  1e-4 of it the one with the most samples (Bae, NonCompart `BestSlope`; PKNCA `pk.calc.half.life`);
* the peak itself is left out, as for any route but a bolus;
* extrapolation from the last *observed* concentration (AUCINF_obs), the commonest choice.

Two rules are this module's own, because simulated curves are noise-free and dense:

* samples at or below 1e-6 of the peak are not used: that far down a curve may be the solver's tolerance;
* a slope seen over less than one of its own half-lives is not reported. Three samples five minutes apart always lie
  on a line, wherever on the curve they are. Between one and two half-lives the value is given; `half_lives` tells.

All functions take one time grid, shape (n,), h, and concentrations of shape (..., n), any unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldnsim.foundation.errors import LdnsimError
from ldnsim.metrics.signal import Signal

Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

MINIMUM_POINTS = 3
MINIMUM_R2 = 0.7  # adjusted; the default of NonCompart
MINIMUM_HALF_LIVES = 1.0
TIE = 1e-4  # adjusted R-squared closer than this counts as equal
FLOOR = 1e-6  # of the peak
STEPS_AFTER_DOSE = 401
STEPS_OVER_WINDOW = 1_001


@dataclass(frozen=True)
class TerminalPhase:
    """The log-linear end of a curve; every array has shape (...), NaN where `reason` is not empty."""

    rate: Floats  # lambda_z, 1/h
    r2: Floats  # adjusted R-squared
    points: Floats  # samples in the regression
    start: Floats  # h, the first of them
    end: Floats  # h, the last of them
    reason: Texts  # why there is none, "" where there is one

    @property
    def half_life(self) -> Floats:
        """Terminal half-life, h, shape (...)."""
        return np.asarray(np.log(2.0) / self.rate)

    @property
    def half_lives(self) -> Floats:
        """How many of its own half-lives the slope was seen for, shape (...)."""
        return (self.end - self.start) / self.half_life


@dataclass(frozen=True)
class Exposure:
    """What a curve amounts to; every array has shape (...), concentrations and areas in the curve's unit (times h)."""

    cmax: Floats
    tmax: Floats  # h, on the given time grid
    auc_last: Floats  # to the last sample above the floor
    auc_inf: Floats  # NaN where `terminal.reason` is not empty
    extrapolated: Floats  # share of auc_inf beyond that sample, 0 to 1
    terminal: TerminalPhase


def auc(time: ArrayLike, concentration: ArrayLike) -> Floats:
    """Area under the curve over the whole grid, linear-up/log-down: unit of the curve times h, shape (...)."""
    times, curves = _checked(time, concentration)
    return np.asarray(_segment_areas(times, curves).sum(axis=-1))


def exposure(
    time: ArrayLike,
    concentration: ArrayLike,
    *,
    include_peak: bool = False,
    minimum_half_lives: float = MINIMUM_HALF_LIVES,
) -> Exposure:
    """Peak, area to the last sample and to infinity of each curve, from the first sample of the grid on.

    `include_peak` lets the regression start at the peak, as is the rule for a bolus. Raises LdnsimError if the shapes
    do not match.
    """
    times, curves = _checked(time, concentration)
    terminal = terminal_phase(times, curves, include_peak=include_peak, minimum_half_lives=minimum_half_lives)
    last = _last_above_floor(curves)[..., None]
    within = np.arange(1, times.size) <= last
    auc_last = np.where(within, _segment_areas(times, curves), 0.0).sum(axis=-1)
    beyond = np.take_along_axis(curves, last, axis=-1)[..., 0] / terminal.rate
    auc_inf = auc_last + beyond
    return Exposure(
        cmax=curves.max(axis=-1),
        tmax=times[curves.argmax(axis=-1)],
        auc_last=np.where(np.isnan(curves).any(axis=-1), np.nan, auc_last),
        auc_inf=auc_inf,
        extrapolated=beyond / auc_inf,
        terminal=terminal,
    )


def terminal_phase(
    time: ArrayLike,
    concentration: ArrayLike,
    *,
    include_peak: bool = False,
    minimum_half_lives: float = MINIMUM_HALF_LIVES,
) -> TerminalPhase:
    """The terminal slope of each curve by best adjusted R-squared; see the module's text for the rule.

    Raises LdnsimError if the shapes do not match. A curve that has none is no error: its `reason` says why.
    """
    times, curves = _checked(time, concentration)
    return _terminal_phase(times, curves, include_peak, minimum_half_lives, continuous=False)


def _terminal_phase(
    times: Floats, curves: Floats, include_peak: bool, minimum_half_lives: float, *, continuous: bool
) -> TerminalPhase:
    """As `terminal_phase`; `continuous` if the samples are equal steps of a known curve, and the slope is to be that
    of ever closer ones."""
    position = np.arange(times.size)
    peak = curves.argmax(axis=-1)[..., None] + (0 if include_peak else 1)
    usable = (position >= peak) & _above_floor(curves)
    last = _last_above_floor(curves)[..., None]

    # Counting time and log concentration from the last sample keeps the sums small where most fits start.
    reference = np.where(usable.any(axis=-1, keepdims=True), np.take_along_axis(curves, last, axis=-1), 1.0)
    x = times - times[last]
    y = np.log(np.where(usable, curves, reference) / reference)
    fit = _fits_from_each_start(x, y, usable, continuous=continuous)

    best = fit.r2.max(axis=-1, keepdims=True)
    start = (fit.valid & (fit.r2 > best - TIE)).argmax(axis=-1)[..., None]  # first start = most samples
    found = fit.valid.any(axis=-1)

    share = _share_before(fit, start, best - TIE) if continuous else np.zeros(start.shape)

    def chosen(values: NDArray[np.float64]) -> Floats:
        here, before = (np.take_along_axis(values, at, axis=-1) for at in (start, np.maximum(start - 1, 0)))
        moved = here + share * np.subtract(before, here, out=np.zeros_like(here), where=share > 0)
        return np.where(found, moved[..., 0], np.nan)

    phase = TerminalPhase(
        rate=chosen(fit.rate),
        r2=chosen(fit.r2),
        points=chosen(fit.points),
        start=chosen(np.broadcast_to(times, curves.shape)),
        end=np.where(found, times[last[..., 0]], np.nan),
        reason=np.full(found.shape, "", dtype=object),
    )
    return _judged(phase, curves, usable.sum(axis=-1), minimum_half_lives)


def after_last_dose(tail: Signal, last: Floats) -> tuple[dict[str, Floats], Texts]:
    """AUC_inf, its extrapolated share, t_half and its span after the last dose, and why there are none.

    `tail` holds the curves from the last dose, `last` (rows,), h, to the end of the run; arrays returned have shape
    (rows,). The terminal slope is that of `terminal_phase` through equal steps of the curve, the area is the curve's
    own. What earlier doses left behind is part of the curve, and so of AUC_inf.
    """
    mesh = tail.mesh
    curves = tail.evenly(STEPS_AFTER_DOSE)
    steps = np.linspace(0.0, 1.0, STEPS_AFTER_DOSE)
    terminal = _terminal_phase(steps, curves, False, MINIMUM_HALF_LIVES, continuous=True)  # rates per length
    at_last = _last_above_floor(curves)
    area = tail.area_until(mesh.begins + steps[at_last] * mesh.length)
    beyond = np.take_along_axis(curves, at_last[:, None], axis=-1)[:, 0] * mesh.length / terminal.rate
    found = {
        "AUC_inf": area + beyond,
        "AUC_inf_extrapolated": beyond / (area + beyond),
        "t_half": terminal.half_life * mesh.length,
        "t_half_span": terminal.half_lives,
    }
    reason = np.where(np.isnan(mesh.length), "the run ends with the last dose", terminal.reason)
    return found, np.where(np.isnan(last), "no dose was taken", reason).astype(object)


def half_life_over(curve: Signal) -> Floats:
    """Half-life by the least-squares line through the logarithm of curves over their window, shape (rows,), h.

    The line goes through equal steps of the curve. The one rule wherever a window is stated; the terminal phase, where
    none is, is found by `terminal_phase`. NaN where a curve touches zero or does not fall.
    """
    curves = curve.evenly(STEPS_OVER_WINDOW)
    positive = np.all(curves > 0, axis=-1)
    y = np.log(np.where(positive[:, None], curves, 1.0))
    centred = np.linspace(-0.5, 0.5, STEPS_OVER_WINDOW)
    slope = (y * centred).sum(axis=-1) / (centred**2).sum()
    falling = positive & (slope < 0)
    return np.where(falling, np.log(2.0) * curve.mesh.length / np.where(falling, -slope, 1.0), np.nan)


def time_to_half(curve: Signal) -> Floats:
    """Time from the peak of curves until they first fall to half of it, shape (rows,), h; NaN where they do not."""
    peak = curve.time_of_highest()
    return curve.first_below(curve.highest() / 2.0, peak) - peak


def latest_dose(doses: Floats, limit: Floats) -> Floats:
    """The last of `doses` (..., dose) at or before `limit` (...), h; NaN where there is none."""
    latest = np.where(doses <= limit[..., None], doses, -np.inf).max(axis=-1, initial=-np.inf)
    return np.where(np.isinf(latest), np.nan, latest)


@dataclass(frozen=True)
class _Fits:
    """Least squares from every possible start to the end; shape (..., n)."""

    rate: Floats
    r2: Floats
    points: Floats
    valid: NDArray[np.bool_]


def _share_before(fit: _Fits, start: NDArray[np.int_], level: Floats) -> Floats:
    """How far before its start, as a share of a step, each fit passes the level of R-squared that was asked for."""
    here, before = (np.take_along_axis(fit.r2, at, axis=-1) for at in (start, np.maximum(start - 1, 0)))
    passes = (start > 0) & np.isfinite(before) & (here > before)
    above = np.subtract(here, level, out=np.zeros_like(here), where=passes)
    step = np.subtract(here, before, out=np.ones_like(here), where=passes)
    return np.asarray(above / step)


def _fits_from_each_start(x: Floats, y: Floats, usable: NDArray[np.bool_], *, continuous: bool) -> _Fits:
    """All the regressions of y on x at once, from running sums taken backwards; -inf as r2 where there is none. If
    `continuous`, the sums are integrals between samples."""
    last = usable.shape[-1] - 1 - usable[..., ::-1].argmax(axis=-1)[..., None]

    def to_the_end(values: Floats) -> Floats:
        kept = np.where(usable, values, 0.0)
        sums = np.cumsum(kept[..., ::-1], axis=-1)[..., ::-1]
        return sums - (kept + np.take_along_axis(kept, last, axis=-1)) / 2 if continuous else sums

    points = to_the_end(np.ones_like(y))
    fewest = MINIMUM_POINTS - 1 if continuous else MINIMUM_POINTS
    divisor = np.maximum(points, 1.0)
    sum_x, sum_y = to_the_end(x), to_the_end(y)
    spread_x = to_the_end(x * x) - sum_x**2 / divisor
    spread_y = to_the_end(y * y) - sum_y**2 / divisor
    together = to_the_end(x * y) - sum_x * sum_y / divisor
    valid = usable & (points >= fewest) & (spread_x > 0) & (spread_y > 0) & (together < 0)
    explained = np.divide(together**2, spread_x * spread_y, out=np.zeros_like(y), where=valid)
    adjusted = np.minimum(explained, 1.0)
    if not continuous:
        adjusted = 1.0 - (1.0 - adjusted) * (points - 1.0) / np.maximum(points - 2.0, 1.0)
    rate = np.divide(-together, spread_x, out=np.full_like(y, np.nan), where=valid)
    return _Fits(rate=rate, r2=np.where(valid, adjusted, -np.inf), points=points, valid=valid)


def _judged(phase: TerminalPhase, curves: Floats, usable: NDArray[np.int_], minimum_half_lives: float) -> TerminalPhase:
    """`phase` with a reason, and NaN, wherever the slope does not deserve to be called terminal."""
    seen = phase.half_lives
    good = (phase.r2 >= MINIMUM_R2) & (seen >= minimum_half_lives)
    reason = phase.reason.copy()
    because: list[tuple[NDArray[np.bool_], Callable[[tuple[int, ...]], str]]] = [  # the first that holds
        (np.asarray(np.isnan(curves).any(axis=-1)), lambda at: "the concentration has missing values"),
        (curves.max(axis=-1) <= 0, lambda at: "the concentration is zero"),
        (
            usable < MINIMUM_POINTS,
            lambda at: f"samples after the peak: {usable[at]}, at least {MINIMUM_POINTS} are needed",
        ),
        (np.isnan(phase.rate), lambda at: "the concentration does not fall after its peak"),
        (
            phase.r2 < MINIMUM_R2,
            lambda at: (
                f"adjusted R-squared of the terminal slope is {phase.r2[at]:.2f}, at least {MINIMUM_R2:g} is needed"
            ),
        ),
        (
            ~good,
            lambda at: f"the slope was seen for {seen[at]:.2g} half-lives, at least {minimum_half_lives:g} is needed",
        ),
    ]
    left = ~good
    for holds, text in because:
        for row in np.argwhere(left & holds):
            reason[tuple(row)] = text(tuple(row))
        left &= ~holds
    kept = {name: np.where(good, getattr(phase, name), np.nan) for name in ("rate", "r2", "points", "start", "end")}
    return TerminalPhase(**kept, reason=reason)


def _segment_areas(time: Floats, curves: Floats) -> Floats:
    """Area between neighbouring samples, shape (..., n - 1)."""
    first, last = curves[..., :-1], curves[..., 1:]
    falling = (first > last) & (last > 0)
    drop = np.where(falling, first - last, 1.0)
    # log1p keeps its digits where the fall is slight; a fall to almost nothing may overflow to an area of 0, rightly.
    with np.errstate(over="ignore"):
        logarithmic = drop / np.log1p(drop / np.where(falling, last, 1.0))
    return np.asarray(np.diff(time) * np.where(falling, logarithmic, (first + last) / 2.0))


def _above_floor(curves: Floats) -> NDArray[np.bool_]:
    top = curves.max(axis=-1, keepdims=True)
    return np.asarray((top > 0) & (curves > FLOOR * top))


def _last_above_floor(curves: Floats) -> NDArray[np.int_]:
    """Index of the last sample above the floor, shape (...); the last of all where none is."""
    return np.asarray(curves.shape[-1] - 1 - _above_floor(curves)[..., ::-1].argmax(axis=-1))


def _checked(time: ArrayLike, concentration: ArrayLike) -> tuple[Floats, Floats]:
    times, curves = np.asarray(time, dtype=float), np.asarray(concentration, dtype=float)
    if times.ndim != 1 or times.size == 0 or curves.shape[-1:] != times.shape:
        raise LdnsimError(
            f"Concentrations of shape {curves.shape} do not fit times of shape {times.shape}: "
            "expected one row of times, and as many concentrations along the last axis."
        )
    return times, curves
