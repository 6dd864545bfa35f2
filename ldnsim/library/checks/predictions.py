"""Checks of predictions: facts that there are, each predicted where it must be, and measures that can be read."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, listed, nearest
from ldnsim.foundation.units import coherent
from ldnsim.library.facts import facts_of_library
from ldnsim.library.predictions import NOT_METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ldnsim.library.facts import Fact
    from ldnsim.library.predictions import Measure, Prediction, Predictions

__all__ = ["measured", "prediction_faults"]

NEEDED = "a prediction, or `cannot` and why"


def prediction_faults(predictions: Predictions) -> list[Fault]:
    """Faults of a predictions file against the library's facts."""
    facts = facts_of_library()
    checks: list[Iterable[Fault]] = [
        _prediction_faults(predictions, facts),
        *(_unknown_faults(names, facts, path) for path, names in _named_facts(predictions)),
    ]
    return list(islice(chain.from_iterable(checks), MOST_FAULTS))


def measured(prediction: Prediction) -> tuple[Measure, Measure | None]:
    """The measure of a prediction and the one that it is divided by, each with all that it repeats filled in."""
    if prediction.over is None:
        return prediction, None
    differs = {name: getattr(prediction.over, name) for name in prediction.over.model_fields_set}
    return prediction, prediction.model_copy(update={"over": None, "changes": {}, "anywhere": None, **differs})


def _prediction_faults(predictions: Predictions, facts: dict[str, Fact]) -> Iterator[Fault]:
    for id, items in predictions.facts.items():
        if id not in facts:
            yield Fault(f"there is no fact {id!r}", ("facts", id), "the id of a fact", nearest(id, facts), at_key=True)
            continue
        if not items:
            yield Fault(f"{id} has no prediction", ("facts", id), NEEDED, at_key=True)
        for index, item in enumerate(items):
            path = ("facts", id, index)
            if item.cannot:
                continue
            count = len(facts[id].numbers)
            if not 1 <= item.number <= max(count, 1):
                yield Fault(f"{id} has {count} numbers", (*path, "number"), f"1 to {max(count, 1)}")
            for measure in measured(item):
                if measure is not None:
                    yield from (fault.under(*path) for fault in _measure_faults(measure, predictions))


def _measure_faults(measure: Measure, predictions: Predictions) -> Iterator[Fault]:
    if measure.take == "parameter":
        if not measure.parameter:
            yield Fault("no parameter is named", (), "parameter: slot.name", at_key=True)
        return
    if measure.arm not in predictions.arms:
        near = nearest(measure.arm, predictions.arms)
        yield Fault(f"there is no arm {measure.arm!r}", ("arm",), listed(predictions.arms), near)
    if measure.take != "dose" and not measure.output:
        yield Fault("no output is named", (), "output: the name of an output", at_key=True)
    for needed, field in ((measure.take == "value", "at"), (measure.take not in NOT_METRICS, "window")):
        if needed and getattr(measure, field) is None:
            yield Fault(f"{measure.take} needs {field!r}", (), f"{field}: when", at_key=True)
    if measure.window is not None and coherent(measure.window[0]) >= coherent(measure.window[1]):
        yield Fault("the window ends before it begins", ("window",), "[0 h, 24 h]")


def _named_facts(predictions: Predictions) -> Iterator[tuple[tuple[str, ...], Iterable[str]]]:
    for name, conflict in predictions.conflicts.items():
        yield ("conflicts", name, "facts"), conflict.facts
    for name, rival in predictions.rivals.items():
        yield ("rivals", name, "set_by"), rival.set_by


def _unknown_faults(names: Iterable[str], facts: dict[str, Fact], path: tuple[str, ...]) -> Iterator[Fault]:
    for index, id in enumerate(names):
        if id not in facts:
            yield Fault(f"there is no fact {id!r}", (*path, index), "the id of a fact", nearest(id, facts))
