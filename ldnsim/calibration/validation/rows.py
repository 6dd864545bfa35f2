"""A fact and its prediction, in one unit, with the error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ldnsim.calibration.validation.measuring import measure_text, measured_value
from ldnsim.calibration.validation.runs import NotPredictable
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

__all__ = ["EVERY_ACCOUNT", "FAMILIES", "ModelRuns", "ValidationRow", "error_of", "rows_of"]

EVERY_ACCOUNT = "all"
# groups of errors that are pooled, in words; the group of an output kind is its `family`
FAMILIES = {
    "concentration": "concentrations and areas",
    "time": "half-lives and times of peaks",
    "parameter": "parameters",
    "endogenous": "endogenous opioids",
    "none": "others",
}
SHORT = ("peak", "Tmax", "AUC_tau")  # metrics that the quantity of a fact names already
SECONDS = 1e-3  # h: clock times closer than this are equal


@dataclass(frozen=True)
class ValidationRow:
    """One number of a fact and its prediction in an account (`all`: it is the same in every account).

    Numbers are in `unit`. `error` is a fold error (1 or more) or, by `scale`, signed percentage points or hours; NaN
    where nothing can be compared. `by_hour` is the prediction at each hour at which the measurement may have been made.
    `reason` says why there is no prediction. `by_parameter_set` has the predictions with other published parameter
    sets, by their name.
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
    by_hour: tuple[tuple[float, float], ...] = ()
    by_parameter_set: Mapping[str, float] = field(default_factory=dict)

    @property
    def size(self) -> float:
        """Absolute error on a scale where 0 is exact: the logarithm of a fold error, or percentage points or hours."""
        return abs(math.log(self.error)) if self.scale == "fold" else abs(self.error)


@dataclass(frozen=True)
class ModelRuns:
    """The settings of each account with the chosen published parameter sets (or none), and the runs made with them."""

    settings: Mapping[str, Setting]
    runs: Runs


def rows_of(
    model: Model,
    predictions: Predictions,
    facts: Mapping[str, Fact],
    plain: ModelRuns,
    under: Mapping[str, ModelRuns],
) -> list[ValidationRow]:
    """A row per number of every fact, and per account that differs in it; facts of context only if predicted.

    `plain` is the model as it is, `under` the same with each published parameter set, by name.
    """
    depends_on = {name: compose(model, setting.parts).rests_on for name, setting in plain.settings.items()}
    rows: list[ValidationRow] = []
    for id, fact in facts.items():
        items = predictions.facts.get(id, ())
        if not items and fact.use != "context":
            rows.append(_not_predictable(fact, None, "", "no prediction is defined for this fact"))
        for item in items:
            if item.cannot:
                rows.append(_not_predictable(fact, item, "", item.cannot))
                continue
            distinct: dict[object, str] = {}
            for account, setting in plain.settings.items():
                distinct.setdefault(_dependencies(item, setting, depends_on[account]), account)
            for account in distinct.values():
                label = EVERY_ACCOUNT if len(distinct) == 1 and len(plain.settings) > 1 else account
                task = _Task(model, predictions, fact, item, account)
                rows.append(_row(task, plain, under, label))
    return rows


def error_of(predicted: float, observed: PublishedRange | None, scale: str) -> float:
    """Error of a prediction: none within the observed range, else relative to its nearest end."""
    if observed is None or scale == "none" or math.isnan(predicted):
        return math.nan
    if scale == "hours":
        return _clock_error(predicted, observed)
    near = min(max(predicted, observed.low), observed.high)
    if scale == "points":
        return predicted - near
    return max(predicted / near, near / predicted) if predicted > 0 and near > 0 else math.nan


def _clock_error(predicted: float, observed: PublishedRange) -> float:
    """Hours to the nearest end of a range of clock times, across midnight if that is nearer; 0 within the range."""
    if (predicted - observed.low) % DAY <= observed.high - observed.low + SECONDS:
        return 0.0
    ends = [(predicted - end + DAY / 2) % DAY - DAY / 2 for end in (observed.low, observed.high)]
    return min(ends, key=abs)


def _dependencies(item: Prediction, setting: Setting, depends_on: Mapping[str, frozenset[str]]) -> object:
    """Everything that a prediction depends on in an account: accounts with equal dependencies share a row."""
    if item.take == "parameter":
        return str(setting.values.get(item.parameter))
    names = depends_on.get(output_of(item.output), frozenset())
    parts = tuple(sorted({setting.parts[name.split(".")[0]].name for name in names}))
    return parts, tuple(sorted((name, str(setting.values[name])) for name in names if name in setting.values))


def _not_predictable(fact: Fact, item: Prediction | None, account: str, reason: str) -> ValidationRow:
    return ValidationRow(fact, fact.quantity, account, _observed(fact, item), fact.unit, reason=reason)


def _observed(fact: Fact, item: Prediction | None) -> PublishedRange | None:
    if not fact.numbers:
        return None
    return fact.numbers[item.number - 1 if item is not None else 0]


@dataclass(frozen=True)
class _Task:
    """One number of a fact, to be predicted in an account."""

    model: Model
    predictions: Predictions
    fact: Fact
    item: Prediction
    account: str


def _row(task: _Task, plain: ModelRuns, under: Mapping[str, ModelRuns], label: str) -> ValidationRow:
    fact, item = task.fact, task.item
    try:
        predicted = _predicted(task, plain)
    except NotPredictable as caught:
        return _not_predictable(fact, item, label, str(caught))
    if math.isnan(predicted):
        return _not_predictable(fact, item, label, "the metric is not defined on this curve and window")
    first, last = (round(hours(edge)) for edge in item.anywhere) if item.anywhere else (1, 0)
    several = len(task.predictions.facts[fact.id]) > 1
    observed, scale = _observed(fact, item), _scale(fact)
    return ValidationRow(
        fact=fact,
        quantity=f"{fact.quantity}: {_title(task.model, item)}" if several else fact.quantity,
        account=label,
        observed=observed,
        unit=_unit(task),
        scale=scale,
        family=_family(task.model, item),
        predicted=predicted,
        error=error_of(predicted, observed, scale),
        conditions=_conditions(task.predictions, item),
        tag=_tag(task, plain),
        by_hour=tuple((float(hour), _predicted(task, plain, float(hour))) for hour in range(first, last + 1)),
        by_parameter_set={name: _predicted(task, runs) for name, runs in under.items()},
    )


def _tag(task: _Task, plain: ModelRuns) -> str:
    item = task.item
    if item.take == "parameter":
        return plain.settings[task.account].parts[item.parameter.split(".")[0]].evidence
    return plain.runs.tag(task.account, item.arm, output_of(item.output), item.changes)


def _predicted(task: _Task, runs: ModelRuns, at: float | None = None) -> float:
    """The prediction in the row's unit; raises NotPredictable where there is none."""
    model, item, fact = task.model, task.item, task.fact
    setting = runs.settings[task.account]
    if item.take == "parameter":
        if item.parameter not in setting.values:
            raise NotPredictable(f"not in this model: no parameter {item.parameter!r}")
        mass = molar_mass(model, setting.parameters[item.parameter].of)
        return coherent(setting.values[item.parameter], mass) / declared(fact.unit, mass)
    above, below = measured(item)

    def read(measure: Measure, changed: Mapping[str, Change], at: float | None = None) -> float:
        if measure.take == "dose":
            return runs.runs.dose(model, measure.arm)
        curve = runs.runs.curve(task.account, measure.arm, measure.output, changed, relative=measure.relative)
        return measured_value(curve, measure, at) * _coherent_factor(model, measure)

    number = read(above, item.changes, at)
    if below is not None:
        number /= read(below, {})
    if fact.unit == "clock":
        return number % DAY
    drug = task.predictions.drugs.get(item.output)
    mass = molar_mass(model, drug) if drug in model.drugs and below is None else None
    return number / (1.0 if fact.unit in ("fold", "points") else declared(_unit(task), mass))


def _unit(task: _Task) -> str:
    """The unit of the fact; for a fact in words, the unit of the output."""
    if task.fact.unit != "text":
        return task.fact.unit
    return "%" if _family(task.model, task.item) == "occupancy" else task.model.outputs[task.item.output].unit


def _coherent_factor(model: Model, measure: Measure) -> float:
    """Factor from the unit of a curve to coherent units; 1 for times, since h is coherent."""
    if measure.relative or not _in_unit_of_output(measure):
        return 1.0
    output = model.outputs[output_of(measure.output)]
    return 1.0 if output.relative_to else declared(output.unit, molar_mass(model, output.of))


def _in_unit_of_output(measure: Measure) -> bool:
    """Whether the unit of a measure contains that of its output, as for concentrations and areas, but not times."""
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
    return title if item.take in SHORT else f"{title} {measure_text(item)}"


def _conditions(predictions: Predictions, item: Prediction) -> str:
    """The regimen, the measure and its window, and the changes made, in words."""
    above, below = measured(item)
    if item.take == "parameter":
        return f"the parameter {item.parameter}"
    words = f"{predictions.arms[above.arm].title}, {measure_text(above)}"
    if below is not None:
        arm = f"{predictions.arms[below.arm].title}, " if below.arm != above.arm else ""
        same = not arm and measure_text(below) == measure_text(above)
        words += f", over {'the same unchanged' if same else arm + measure_text(below)}"
    if item.anywhere is not None:
        words += " (known within {:g} to {:g} h)".format(*map(hours, item.anywhere))
    if item.changes:
        words += "; " + ", ".join(f"{address} = {value}" for address, value in item.changes.items())
    return words + (f"; {item.note}" if item.note else "")
