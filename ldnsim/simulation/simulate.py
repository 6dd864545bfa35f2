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
from ldnsim.simulation.provenance import shown_outputs
from ldnsim.simulation.result import Request, dataset
from ldnsim.simulation.sampling import sample_times
from ldnsim.simulation.solve import Case, Look, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.engine import choose
    from ldnsim.scenario.scenario import Scenario

__all__ = ["simulate"]

COPIES = 2.5  # of every number: the solver's, and in its unit
SURE = 50e6  # bytes that anybody has


def simulate(
    scenario: Scenario,
    *,
    times: Sequence[float] | None = None,
    subjects: range | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
) -> xr.Dataset:
    """Every account and arm of the scenario, for each of its people.

    Returns a Dataset with dims ([draw,] account, arm, [subject,] time): the reported outputs with their units, evidence
    tags and the reach of human data as attributes, the drug-free twin (`NAME_drug_free`) of endogenous outputs, the
    doses taken, a `status` and `reason` per person, and the provenance. Draw 0 of what is uncertain has the values as
    stated. `times` (h, ascending) replaces the usual sampling; `subjects` are those of the population who are wanted
    (from 1 on; None: all): they are the same people, to the bit, whoever else is simulated. `rtol` is the solver's
    tolerance, `solver` "native" or "reference" (slow).
    Raises LdnsimError for changes that name or move nothing, and for `times` or `subjects` that the run does not have,
    and for what does not fit into memory.
    """
    resolved = resolve(scenario)
    subjects = everyone(resolved) if subjects is None else _known(subjects, everyone(resolved))
    at = sample_times(scenario, resolved) if times is None else _asked_for(times, hours(resolved.duration))
    shown = shown_outputs(scenario)
    draws = resolved.uncertainty.draws if resolved.uncertainty else 0
    rows = (1 + draws) * len(resolved.settings) * (len(resolved.arms) + 1) * len(subjects)
    _check_room(rows * len(shown) * len(at))
    doses = {arm: doses_of(scenario, resolved, arm, subjects) for arm in resolved.arms}
    cases = [Case(resolved, doses)]
    if resolved.uncertainty:
        settings = resolved.settings
        for draw in range(1, resolved.uncertainty.draws + 1):
            drawn = settings_of_draw(scenario.model, resolved.uncertainty, settings, draw)
            cases.append(Case(replace(resolved, settings=drawn), doses))
    found = solve(Look(scenario, subjects, at, shown, rtol, solver), cases)
    return dataset(Request(scenario, resolved, subjects, doses, at, shown), found)


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
