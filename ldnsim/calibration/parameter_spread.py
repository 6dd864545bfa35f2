"""How uncertain parameters make what is read off a run.

A parameter that belongs to a set (a rival set of its part, or several values that an account sets in one slot) moves
with its set; every other one to the ends of its range, which are taken for two standard deviations either way, one
parameter at a time. Sets that belong together are chosen together. The ranges of the slot `person` (weight, age) are
of what people differ in, and no uncertainty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.calibration.validation.runs import rival_changes
from ldnsim.library.files import load_predictions
from ldnsim.model.system import compose
from ldnsim.scenario.changes import setting_of
from ldnsim.scenario.uncertainty import PERSON_SLOT
from ldnsim.simulation.provenance import shown_outputs

if TYPE_CHECKING:
    from ldnsim.library.predictions import Predictions
    from ldnsim.scenario.scenario import Scenario

__all__ = ["free_parameters", "parameter_spread"]

Floats = NDArray[np.float64]
Seen = Callable[["Scenario"], dict[str, Floats]]


def parameter_spread(scenario: Scenario, seen: Seen, predictions: Predictions | None = None) -> dict[str, Floats]:
    """Standard deviation, from uncertain parameters, of each of the arrays that `seen` reads off a scenario.

    The first axis of the arrays is that of the scenario's accounts. What the scenario itself changes stays as it is.
    """
    predictions = load_predictions() if predictions is None else predictions
    plain = seen(scenario)
    variance = {name: np.zeros_like(values) for name, values in plain.items()}
    for (address, *ends), accounts in free_parameters(scenario).items():
        low, high = (seen(scenario.with_changes({address: end})) for end in ends)
        for name in plain:
            variance[name][accounts] += ((high[name] - low[name])[accounts] / 4) ** 2
    chosen = [rival_changes(scenario.model, choice, scenario.accounts) for choice in predictions.rivals.values()]
    sets = [plain, *(seen(scenario.with_changes(changes)) for changes in chosen if changes)]
    for name in plain:
        variance[name] += np.var([each[name] for each in sets], axis=0)
    return {name: np.sqrt(found) for name, found in variance.items()}


def free_parameters(scenario: Scenario) -> dict[tuple[str, str, str], list[int]]:
    """Parameters behind the reported outputs that move on their own: (address, both ends of its range) -> the accounts,
    by their place in the scenario, in which they do."""
    model, free = scenario.model, dict[tuple[str, str, str], list[int]]()
    taken = {line.input for arm in scenario.arms.values() for line in arm.regimen}
    delivery = {address for name in taken for address in model.inputs[name].delivery_parameters}
    for place, name in enumerate(scenario.accounts or tuple(model.accounts)):
        setting, account = setting_of(model, name), model.accounts[name]
        rests_on = compose(model, setting.parts).rests_on
        behind = delivery.union(*(rests_on[output] for output in shown_outputs(scenario)))
        own = [address for address in account.values if not address.endswith(".rivals")]
        slots = [address.split(".")[0] for address in own]
        bound = {address for address, slot in zip(own, slots, strict=True) if slots.count(slot) > 1}
        for slot, part in setting.parts.items():
            bound |= {f"{slot}.{parameter}" for rival in part.rivals.values() for parameter in rival.values}
        for address, parameter in setting.parameters.items():
            changed = {address, address.split(".")[1]} & scenario.changes.keys()
            who = address.split(".")[0] == PERSON_SLOT
            if parameter.range is not None and address in behind - bound and not (changed or who):
                low, high = map(str, parameter.range)
                free.setdefault((address, low, high), []).append(place)
    return free
