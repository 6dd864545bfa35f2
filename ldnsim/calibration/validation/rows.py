"""A fact beside its prediction: units brought together, the error judged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ldnsim.calibration.validation.measuring import read_off, read_words
from ldnsim.calibration.validation.runs import Lacking
from ldnsim.dosing.regimen import DAY
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent, declared
from ldnsim.library.checks.predictions import measured
from ldnsim.metrics.catalogue import metric_named
from ldnsim.metrics.outputs import output_of
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.system import compose, molar_mass

if TYPE_CHECKING:
    from ldnsim.calibration.validation.runs import Runs
    from ldnsim.foundation.fields import Change
    from ldnsim.library.facts import Fact, PublishedRange
    from ldnsim.library.predictions import Measure, Prediction, Predictions
    from ldnsim.model.records import Model
    from ldnsim.scenario.changes import Setting

__all__ = ["EVERY_ACCOUNT", "FAMILIES", "Situation", "ValidationRow", "error_of", "rows_of"]

EVERY_ACCOUNT = "all"
# errors that are pooled with each other, in words; those of an output kind are named by its `family`
FAMILIES = {
    "concentration": "concentrations and areas",
    "time": "half-lives and times of peaks",
    "parameter": "parameters",
    "endogenous": "endogenous opioids",
    "none": "others",
}
SHORT = ("peak", "Tmax", "AUC_tau")  # what the quantity of a fact says already
SECONDS = 1e-3  # h: clock times closer than this are equal


@dataclass(frozen=True)
class ValidationRow:
    """One number of a fact and its prediction in an account (`all`: it is the same in every account).

    Numbers are in `unit`. `error` is a fold error (1 or more) or, by `scale`, signed points or hours; NaN where nothing
    can be compared. `sweep` is the prediction at each hour within which the measurement's time is known. `reason` says
    why there is no prediction. `rivals` holds the predictions under the rival sets, by name.
    """

    fact: Fact
    quantity: str
    account: str
    observed: PublishedRange | None
    unit: str
    scale: str = "none"
    family: str = "none"
    predicted: float = math.nan
    error: float = math.nan
    conditions: str = ""
    tag: str = ""
    reason: str = ""
    sweep: tuple[tuple[float, float], ...] = ()
    rivals: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> float:
        """How far off, on a scale where 0 is right: the logarithm of a fold error, or points or hours."""
        return abs(math.log(self.error)) if self.scale == "fold" else abs(self.error)


@dataclass(frozen=True)
class Situation:
    """A model with certain rival sets chosen (or none): the values of each account, and the runs made with them."""

    settings: Mapping[str, Setting]
    runs: Runs


def rows_of(
    model: Model,
    predictions: Predictions,
    facts: Mapping[str, Fact],
    plain: Situation,
    under: Mapping[str, Situation],
) -> list[ValidationRow]:
    """A row per number of every fact that is predicted, or is to be met, and per account that differs in it.

    `plain` is the model as it stands, `under` the same with each rival set, by name.
    """
    resting = {name: compose(model, setting.parts).rests_on for name, setting in plain.settings.items()}
    rows: list[ValidationRow] = []
    for id, fact in facts.items():
        items = predictions.facts.get(id, ())
        if not items and fact.use != "context":
            rows.append(_lacking(fact, None, "", "nobody has written down how to predict it"))
        for item in items:
            if item.cannot:
                rows.append(_lacking(fact, item, "", item.cannot))
                continue
            alike: dict[object, str] = {}
            for account, setting in plain.settings.items():
                alike.setdefault(_behind(item, setting, resting[account]), account)
            for account in alike.values():
                shown = EVERY_ACCOUNT if len(alike) == 1 and len(plain.settings) > 1 else account
                asked = _Asked(model, predictions, fact, item, account)
                rows.append(_row(asked, plain, under, shown))
    return rows


def error_of(predicted: float, observed: PublishedRange | None, scale: str) -> float:
    """How far a prediction is from what was observed: nothing within a range, else counted from its nearest end."""
    if observed is None or scale == "none" or math.isnan(predicted):
        return math.nan
    if scale == "hours":
        return _clock_error(predicted, observed)
    near = min(max(predicted, observed.low), observed.high)
    if scale == "points":
        return predicted - near
    return max(predicted / near, near / predicted) if predicted > 0 and near > 0 else math.nan


def _clock_error(predicted: float, observed: PublishedRange) -> float:
    """Hours to the nearest end of a stretch of the day, across midnight where that is nearer; 0 within it."""
    if (predicted - observed.low) % DAY <= observed.high - observed.low + SECONDS:
        return 0.0
    ends = [(predicted - end + DAY / 2) % DAY - DAY / 2 for end in (observed.low, observed.high)]
    return min(ends, key=abs)


def _behind(item: Prediction, setting: Setting, resting: Mapping[str, frozenset[str]]) -> object:
    """All that a prediction rests on in an account: where it is alike, the accounts agree."""
    if item.take == "parameter":
        return str(setting.values.get(item.parameter))
    names = resting.get(output_of(item.output), frozenset())
    parts = tuple(sorted({setting.parts[name.split(".")[0]].name for name in names}))
    return parts, tuple(sorted((name, str(setting.values[name])) for name in names if name in setting.values))


def _lacking(fact: Fact, item: Prediction | None, account: str, reason: str) -> ValidationRow:
    return ValidationRow(fact, fact.quantity, account, _observed(fact, item), fact.unit, reason=reason)


def _observed(fact: Fact, item: Prediction | None) -> PublishedRange | None:
    if not fact.numbers:
        return None
    return fact.numbers[item.number - 1 if item is not None else 0]


@dataclass(frozen=True)
class _Asked:
    """One number of a fact that is to be predicted in an account."""

    model: Model
    predictions: Predictions
    fact: Fact
    item: Prediction
    account: str


def _row(asked: _Asked, plain: Situation, under: Mapping[str, Situation], shown: str) -> ValidationRow:
    fact, item = asked.fact, asked.item
    try:
        predicted = _predicted(asked, plain)
    except Lacking as caught:
        return _lacking(fact, item, shown, str(caught))
    if math.isnan(predicted):
        return _lacking(fact, item, shown, "the curve has no such number in this window")
    first, last = (round(hours(edge)) for edge in item.anywhere) if item.anywhere else (1, 0)
    several = len(asked.predictions.facts[fact.id]) > 1
    observed, scale = _observed(fact, item), _scale(fact)
    return ValidationRow(
        fact=fact,
        quantity=f"{fact.quantity}: {_title(asked.model, item)}" if several else fact.quantity,
        account=shown,
        observed=observed,
        unit=_unit(asked),
        scale=scale,
        family=_family(asked.model, item),
        predicted=predicted,
        error=error_of(predicted, observed, scale),
        conditions=_conditions(asked.predictions, item),
        tag=_tag(asked, plain),
        sweep=tuple((float(hour), _predicted(asked, plain, float(hour))) for hour in range(first, last + 1)),
        rivals={name: _predicted(asked, situation) for name, situation in under.items()},
    )


def _tag(asked: _Asked, plain: Situation) -> str:
    item = asked.item
    if item.take == "parameter":
        return plain.settings[asked.account].parts[item.parameter.split(".")[0]].evidence
    return plain.runs.tag(asked.account, item.arm, output_of(item.output), item.changes)


def _predicted(asked: _Asked, situation: Situation, at: float | None = None) -> float:
    """The prediction in the row's unit; raises Lacking where there is none."""
    model, item, fact = asked.model, asked.item, asked.fact
    setting = situation.settings[asked.account]
    if item.take == "parameter":
        if item.parameter not in setting.values:
            raise Lacking(f"not in this model: no parameter {item.parameter!r}")
        mass = molar_mass(model, setting.parameters[item.parameter].of)
        return coherent(setting.values[item.parameter], mass) / declared(fact.unit, mass)
    above, below = measured(item)

    def read(measure: Measure, changed: Mapping[str, Change], at: float | None = None) -> float:
        if measure.take == "dose":
            return situation.runs.dose(model, measure.arm)
        course = situation.runs.course(asked.account, measure.arm, measure.output, changed, relative=measure.relative)
        return read_off(course, measure, at) * _coherent_factor(model, measure)

    number = read(above, item.changes, at)
    if below is not None:
        number /= read(below, {})
    if fact.unit == "clock":
        return number % DAY
    drug = asked.predictions.drugs.get(item.output)
    mass = molar_mass(model, drug) if drug in model.drugs and below is None else None
    return number / (1.0 if fact.unit in ("fold", "points") else declared(_unit(asked), mass))


def _unit(asked: _Asked) -> str:
    """The unit of the fact; for words, that in which the output is shown."""
    if asked.fact.unit != "text":
        return asked.fact.unit
    return "%" if _family(asked.model, asked.item) == "occupancy" else asked.model.outputs[asked.item.output].unit


def _coherent_factor(model: Model, measure: Measure) -> float:
    """From the unit that a curve is shown in to coherent units; times are in h, and so coherent."""
    if measure.relative or not _in_unit_of_output(measure):
        return 1.0
    output = model.outputs[output_of(measure.output)]
    return 1.0 if output.relative_to else declared(output.unit, molar_mass(model, output.of))


def _in_unit_of_output(measure: Measure) -> bool:
    """Whether a measure has the unit of its output in its own, as concentrations and areas do, and times do not."""
    metric = metric_named(measure.take)
    return "{}" in metric.unit if metric else measure.take == "value"


def _scale(fact: Fact) -> str:
    return {"text": "none", "clock": "hours", "%": "points", "points": "points"}.get(fact.unit, "fold")


def _family(model: Model, item: Prediction) -> str:
    if item.take == "parameter":
        return "parameter"
    metric = metric_named(item.take)
    if metric is not None and metric.unit == "h" and metric.comparison == "ratio":
        return "time"
    output = model.outputs.get(output_of(item.output))
    return kind_named(output.kind if output is not None else "other").family


def _title(model: Model, item: Prediction) -> str:
    title = model.outputs[output_of(item.output)].title
    return title if item.take in SHORT else f"{title} {read_words(item)}"


def _conditions(predictions: Predictions, item: Prediction) -> str:
    """The regimen, what was read off the curve and where, and what stands for what, in words."""
    above, below = measured(item)
    if item.take == "parameter":
        return f"the parameter {item.parameter}"
    words = f"{predictions.arms[above.arm].title}, {read_words(above)}"
    if below is not None:
        arm = f"{predictions.arms[below.arm].title}, " if below.arm != above.arm else ""
        same = not arm and read_words(below) == read_words(above)
        words += f", over {'the same unchanged' if same else arm + read_words(below)}"
    if item.anywhere is not None:
        words += " (known within {:g} to {:g} h)".format(*map(hours, item.anywhere))
    if item.changes:
        words += "; " + ", ".join(f"{address} = {value}" for address, value in item.changes.items())
    return words + (f"; {item.note}" if item.note else "")
