"""What a result says of itself: where it comes from, what it covers, what to know before believing it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.dosing.regimen import DAY, line_doses, planned_doses
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent
from ldnsim.library.files import library
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.system import molar_mass

if TYPE_CHECKING:
    from ldnsim.foundation.units import Quantity
    from ldnsim.model.records import Output
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["beyond_mechanism", "notes_of", "package_version", "provenance", "shown_outputs", "window_of"]

FAR_BEYOND = 2.0  # times the largest dose that anybody observed
DISCLAIMER = (
    "For research and teaching. Not dose advice, not a prediction for any person, and no guide to restarting an opioid."
)


def shown_outputs(scenario: Scenario) -> dict[str, Output]:
    """What is reported; and, where endogenous opioid is, what says whether receptors are blocked meanwhile."""
    outputs = scenario.model.outputs
    wanted = scenario.report or tuple(outputs)
    with_blockade = any(kind_named(outputs[name].kind).says_tone for name in wanted)
    return {
        name: output
        for name, output in outputs.items()
        if name in wanted or (with_blockade and kind_named(output.kind).is_blockade)
    }


def beyond_mechanism(scenario: Scenario, resolved: Resolved) -> dict[str, str]:
    """The arms in which all doses of a drug are too small for what the model holds, and what it lacks there."""
    model, found = scenario.model, {}
    for name, arm in resolved.arms.items():
        for key, drug in model.drugs.items():
            if drug.mechanism is None:
                continue
            mass, least = molar_mass(model, key), drug.mechanism.from_
            lines = [line for line in arm.regimen if model.inputs[line.input].drug == key]
            doses = {coherent(amount, mass): amount for line in lines for amount in line.amounts}
            if doses and 0 < max(doses) < coherent(least, mass):
                found[name] = f"no mechanism in the model for {doses[max(doses)]} of {key}. {drug.mechanism.note}"
    return found


def window_of(scenario: Scenario, resolved: Resolved, times: np.ndarray) -> tuple[float, float]:
    """Start and end of what metrics describe, h: the scenario's window, or the last whole day that is looked at."""
    duration = hours(resolved.duration)
    last_day = max(0.0, (np.floor(duration / DAY) - 1) * DAY)
    start, end = map(coherent, scenario.window) if scenario.window else (last_day, min(last_day + DAY, duration))
    if scenario.window is None and not times[0] <= start < end <= times[-1]:
        start, end = times[0], times[-1]  # sample times of the caller's own
    return float(start), float(end)


def provenance(scenario: Scenario, resolved: Resolved, times: np.ndarray) -> dict[str, Any]:
    """Where a result comes from and what to know of it, as the attributes of its Dataset."""
    window = window_of(scenario, resolved, times)
    doubt, table = resolved.uncertainty, resolved.population.table if resolved.population else None
    return {
        "Conventions": "CF-1.11",
        "title": scenario.question,
        "scenario": scenario.name,
        "scenario_file": _file_name(scenario),
        "question": scenario.question,
        "cannot_say": scenario.cannot_say,
        "model": scenario.model.name,
        "model_hash": hashlib.sha256(scenario.model.model_dump_json().encode()).hexdigest(),
        "scenario_text": scenario.text,
        "changes": json.dumps(scenario.changes),
        "seed": resolved.population.seed if resolved.population else 1,
        "people_hash": table.digest if table else "",
        "fit_hash": hashlib.sha256(doubt.fit.model_dump_json().encode()).hexdigest() if doubt and doubt.fit else "",
        "uncertain": json.dumps(doubt.addresses if doubt else []),
        "package_version": package_version(),
        "window": list(window),
        "start_day": scenario.start_day,
        "account_titles": json.dumps({setting.account: setting.title for setting in resolved.settings}),
        "arm_titles": json.dumps({name: arm.title or name for name, arm in resolved.arms.items()}),
        "extrapolated": _extrapolated(scenario, resolved),
        "no_mechanism": json.dumps(beyond_mechanism(scenario, resolved)),
        "notes": notes_of(scenario, resolved, window),
        "disclaimer": DISCLAIMER,
    }


def _extrapolated(scenario: Scenario, resolved: Resolved) -> list[str]:
    """A sentence for each output that goes where no human data are."""
    duration = hours(resolved.duration)
    sentences = []
    for name, output in shown_outputs(scenario).items():
        if output.observed is None or duration <= hours(output.observed.hours):
            continue
        low, high = output.observed.doses
        reach = f"human data reach {hours(output.observed.hours):g} h after a single dose of {low} to {high}"
        sentences.append(f"{output.title} ({name}): {reach}. {output.observed.note} All else is extrapolated.")
    return sentences


def notes_of(scenario: Scenario, resolved: Resolved, window: tuple[float, float]) -> list[str]:
    """What a reader should know before believing a number: odd windows, doses beyond all data, crossed accounts."""
    lacking = [f"{resolved.arms[arm].title or arm}: {why}" for arm, why in beyond_mechanism(scenario, resolved).items()]
    return [
        *lacking,
        *_window_notes(scenario, resolved, window),
        *_late_notes(scenario, resolved),
        *_dose_notes(scenario, resolved),
        *_account_notes(scenario),
        *_doubt_notes(resolved),
    ]


def _window_notes(scenario: Scenario, resolved: Resolved, window: tuple[float, float]) -> Iterator[str]:
    """Arms whose doses in the window are not those of the window before: one off day is not the regimen."""
    start, end = window
    if scenario.window is not None or start < end - start:
        return
    for name, arm in resolved.arms.items():
        doses = planned_doses(arm, hours(resolved.duration), scenario.start_day)
        inside, before = (
            sorted(
                (round(dose.time - edge, 6), str(dose.amount))
                for dose in doses
                if edge <= dose.time < edge + end - start
            )
            for edge in (start, start - (end - start))
        )
        if inside != before:
            counts = f"{len(inside)} doses, {len(before)} the day before"
            yield (
                f"{arm.title or name}: its doses differ from day to day, and the metrics describe hours {start:g} to "
                f"{end:g} only ({counts}). A `window` over whole cycles says more."
            )


def _late_notes(scenario: Scenario, resolved: Resolved) -> Iterator[str]:
    """Late doses that the next one of their line has overtaken."""
    for name, arm in resolved.arms.items():
        for line in arm.regimen:
            doses = [dose for _, dose in line_doses(line, hours(resolved.duration), scenario.start_day)]
            days = [
                int((dose.time - dose.late) // DAY) + 1
                for dose, following in pairwise(doses)
                if dose.late and dose.time >= following.time - following.late
            ]
            if days:
                which = f"dose{'s' * (len(days) > 1)} of day {', '.join(map(str, days))}"
                yield f"{arm.title or name}: the {which} comes so late that the next is due: both are taken."


def _dose_notes(scenario: Scenario, resolved: Resolved) -> Iterator[str]:
    seen: dict[str | None, list[Quantity]] = {}  # drug (None: whichever) -> largest doses that outputs were observed at
    for output in scenario.model.outputs.values():
        if output.observed and output.observed.doses[1].dimension.mass:
            seen.setdefault(output.of, []).append(output.observed.doses[1])
    inputs = scenario.model.inputs
    for drug, doses in seen.items():
        known = max(doses, key=coherent)
        for name, arm in resolved.arms.items():
            lines = [line for line in arm.regimen if drug in (None, inputs[line.input].drug)]
            amounts = [amount for line in lines for amount in line.amounts if amount.dimension.mass]
            largest = max(amounts, key=coherent, default=None)
            if largest is not None and coherent(largest) > FAR_BEYOND * coherent(known):
                yield f"{arm.title or name}: {largest} is far beyond all doses with human data (up to {known})."


def _account_notes(scenario: Scenario) -> Iterator[str]:
    model = scenario.model
    for slot in (slot for slot in scenario.changes if slot in model.slots):
        for name in scenario.accounts or tuple(model.accounts):
            before = model.parts(model.accounts[name].choices)[slot].name
            if before != scenario.changes[slot]:
                swap = f"{slot} is {scenario.changes[slot]} instead of {before}"
                yield (
                    f"{name}: {swap}. The account's other values were set on that structure; "
                    "crossed accounts can predict what nobody ever saw."
                )


def _doubt_notes(resolved: Resolved) -> Iterator[str]:
    """Parameters that were fitted or published together, and are drawn apart."""
    drawn = set(resolved.uncertainty.parameters) if resolved.uncertainty else set()
    told = set()
    for setting in resolved.settings:
        for slot, part in setting.parts.items():
            for rival in part.rivals.values():
                together = sorted(drawn & {f"{slot}.{name}" for name in rival.values})
                if len(together) > 1 and tuple(together) not in told:
                    told.add(tuple(together))
                    yield (
                        f"{', '.join(together)} are drawn each on its own, but were set together: their draws spread "
                        "more than is known. A fit's covariance keeps them together."
                    )


@cache
def package_version() -> str:
    """The version of this package, as it is installed."""
    try:
        return version("ldnsim")
    except PackageNotFoundError:
        return "unknown"


def _file_name(scenario: Scenario) -> str:
    """What `ldnsim run` takes: the name of a scenario of the library, else that of a file."""
    known = library("scenarios").get(scenario.name)
    same = known is not None and known.read_text(encoding="utf-8-sig") == scenario.text
    return scenario.name if same else f"{scenario.name}.yaml"
