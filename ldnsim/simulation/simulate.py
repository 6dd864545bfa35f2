"""Scenario -> xarray.Dataset: the one road, for a single run. Every run starts on the drug-free periodic orbit and
carries the drug-free twin of every person.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.scenario.changes import resolve, settings_of_draw
from ldnsim.simulation.memory import free_memory, size_text
from ldnsim.simulation.people import doses_of, everyone
from ldnsim.simulation.provenance import shown_outputs, window_of
from ldnsim.simulation.result import Request, dataset
from ldnsim.simulation.sampling import sample_times
from ldnsim.simulation.solve import Case, RunSettings, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.engine import choose
    from ldnsim.scenario.scenario import Scenario

__all__ = ["simulate"]

COPIES = 2.5  # of every number: the solver's, and in its unit
NUMBERS_AN_HOUR = 16  # of each output within the window of metrics
SURE = 50e6  # bytes that anybody has


def simulate(
    scenario: Scenario,
    *,
    times: Sequence[float] | None = None,
    subjects: range | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
) -> xr.Dataset:
    """Simulate every account and arm of a scenario, for each of its people.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    times : sequence of float, optional
        Sample times, h since midnight of day 1, ascending. Default: chosen from doses, window and `sample` of the
        scenario.
    subjects : range, optional
        Numbers of the people to simulate, from 1; default: all. A person is the same, to the bit, whoever else is
        simulated.
    rtol : float
        Relative tolerance of the solver.
    solver : {"native", "reference"}
        Compiled solver, or the slow reference solver.

    Returns
    -------
    xarray.Dataset
        Reported outputs of dims ([draw,] account, arm, [subject,] time), with units, evidence tags and the reach of
        human data as attributes; the drug-free twin of endogenous outputs (`<output>_drug_free`); the doses taken;
        `status` and `reason` per person; and the provenance. Draw 0 of uncertain parameters has the values as stated.
        People without a solution are NaN.

    Raises
    ------
    LdnsimError
        For changes that name or move nothing, for `times` or `subjects` outside the run, and for a run too large for
        memory.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> result = ldn.simulate(ldn.load_scenario("night_vs_morning"), times=[0.0, 12.0, 24.0])
    >>> result["opioid_tone"].dims, result["opioid_tone"].units
    (('account', 'arm', 'time'), '1')
    """
    resolved = resolve(scenario)
    subjects = everyone(resolved) if subjects is None else _known(subjects, everyone(resolved))
    at = sample_times(scenario, resolved) if times is None else _asked_for(times, hours(resolved.duration))
    shown = shown_outputs(scenario)
    draws = resolved.uncertainty.draws if resolved.uncertainty else 0
    rows = (1 + draws) * len(resolved.settings) * (len(resolved.arms) + 1) * len(subjects)
    window: tuple[float, float] | None = window_of(scenario, resolved, at)
    if not (window and 0 <= window[0] < window[1] <= at[-1]):
        window = None  # beyond the caller's own times
    recorded = NUMBERS_AN_HOUR * (window[1] - window[0]) if window else 0
    _check_room(rows * len(shown) * (len(at) + int(recorded)))
    doses = {arm: doses_of(scenario, resolved, arm, subjects) for arm in resolved.arms}
    cases = [Case(resolved, doses)]
    if resolved.uncertainty:
        settings = resolved.settings
        for draw in range(1, resolved.uncertainty.draws + 1):
            drawn = settings_of_draw(scenario.model, resolved.uncertainty, settings, draw)
            cases.append(Case(replace(resolved, settings=drawn), doses))
    found = solve(RunSettings(scenario, subjects, at, shown, rtol, solver, window=window), cases)
    result = dataset(Request(scenario, resolved, subjects, doses, at, shown), found)
    result.attrs |= {"solver": solver, "rtol": rtol, "start": scenario.start}
    return result


def _known(subjects: range, known: range) -> range:
    if not subjects or subjects.step != 1 or subjects.start < known.start or subjects.stop > known.stop:
        raise LdnsimError(f"Subjects {subjects} are not there: the population has 1 to {known[-1]}.")
    return subjects


def _check_room(numbers: int) -> None:
    """Raises LdnsimError for a result that would not fit into memory; `numbers` of its outputs at all times."""
    needed = float(numbers) * 8 * COPIES
    if needed > SURE and needed > free_memory():
        message = f"this run needs {size_text(needed)} of memory, and {size_text(free_memory())} are free"
        raise LdnsimError(Fault(message, expected="a sweep into a store, fewer people, or a coarser `sample`"))


def _asked_for(times: Sequence[float], duration: float) -> np.ndarray:
    at = np.asarray(times, float)
    if at.ndim != 1 or not at.size or not np.all(np.isfinite(at)) or not np.all(np.diff(at) > 0):
        raise LdnsimError("The sample times are no list of finite, ascending hours.")
    if at[0] < 0 or at[-1] > duration:
        raise LdnsimError(f"Sample times from {at[0]:g} to {at[-1]:g} h: the run goes from 0 to {duration:g} h.")
    return at
