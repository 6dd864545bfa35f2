"""Parameter uncertainty of what is computed from a run.

A parameter that belongs to a set (a published set of its part, or several values that an account sets in one slot)
changes with its set. Every other parameter is moved to the ends of its range, one parameter at a time; the range is
taken as plus or minus two standard deviations. Sets that belong together are chosen together. The ranges of the slot
`person` (weight, age) describe variability between people, and are not moved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ldnsim.calibration.validation.runs import parameter_set_changes
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
Compute = Callable[["Scenario"], dict[str, Floats]]


def parameter_spread(scenario: Scenario, compute: Compute, predictions: Predictions | None = None) -> dict[str, Floats]:
    """Standard deviation, due to parameter uncertainty, of quantities computed from a scenario.

    Parameters
    ----------
    scenario : Scenario
        What is simulated. Parameters that it changes are not moved.
    compute : callable
        Scenario -> arrays by name; the first axis is that of the scenario's accounts.
    predictions : Predictions, optional
        Says which published parameter sets belong together. The library's by default.

    Returns
    -------
    dict of str to ndarray
        Standard deviations, with the shapes and units of what `compute` returns.
    """
    predictions = load_predictions() if predictions is None else predictions
    default = compute(scenario)
    variance = {name: np.zeros_like(values) for name, values in default.items()}
    for (address, *ends), accounts in free_parameters(scenario).items():
        low, high = (compute(scenario.with_changes({address: end})) for end in ends)
        for name in default:
            variance[name][accounts] += ((high[name] - low[name])[accounts] / 4) ** 2
    chosen = [
        parameter_set_changes(scenario.model, choice, scenario.accounts) for choice in predictions.rivals.values()
    ]
    sets = [default, *(compute(scenario.with_changes(changes)) for changes in chosen if changes)]
    for name in default:
        variance[name] += np.var([each[name] for each in sets], axis=0)
    return {name: np.sqrt(found) for name, found in variance.items()}


def free_parameters(scenario: Scenario) -> dict[tuple[str, str, str], list[int]]:
    """Parameters on which the reported outputs depend and that belong to no set.

    Returns
    -------
    dict
        (address, lower end, upper end of its range) -> positions, in the scenario, of the accounts where it is free.
    """
    model, free = scenario.model, dict[tuple[str, str, str], list[int]]()
    taken = {line.input for arm in scenario.arms.values() for line in arm.regimen}
    delivery = {address for name in taken for address in model.inputs[name].delivery_parameters}
    for place, name in enumerate(scenario.accounts or tuple(model.accounts)):
        setting, account = setting_of(model, name), model.accounts[name]
        rests_on = compose(model, setting.parts).rests_on
        relevant = delivery.union(*(rests_on[output] for output in shown_outputs(scenario)))
        own = [address for address in account.values if not address.endswith(".rivals")]
        slots = [address.split(".")[0] for address in own]
        in_sets = {address for address, slot in zip(own, slots, strict=True) if slots.count(slot) > 1}
        for slot, part in setting.parts.items():
            in_sets |= {f"{slot}.{parameter}" for published in part.rivals.values() for parameter in published.values}
        for address, parameter in setting.parameters.items():
            changed = {address, address.split(".")[1]} & scenario.changes.keys()
            of_person = address.split(".")[0] == PERSON_SLOT
            if parameter.range is not None and address in relevant - in_sets and not (changed or of_person):
                low, high = map(str, parameter.range)
                free.setdefault((address, low, high), []).append(place)
    return free
