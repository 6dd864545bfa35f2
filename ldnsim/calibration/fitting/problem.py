"""A fit as numbers: parameters as positions between their bounds, data as residuals in units of their error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.calibration.fitting.lanes import Lanes, lanes_of
from ldnsim.calibration.fitting.readings import reading
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import Quantity, coherent, declared
from ldnsim.library.error_model import error_model
from ldnsim.model.system import molar_mass
from ldnsim.scenario.changes import qualified, resolve
from ldnsim.simulation.sampling import sample_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.engine.choose import SolverName
    from ldnsim.library.error_model import ErrorModel
    from ldnsim.library.fit_file import Datum, EstimatedParameter, Fit
    from ldnsim.metrics.nca import Floats
    from ldnsim.scenario.changes import Resolved

__all__ = ["Problem", "SearchAxis", "problem_of"]

SAME = 1e-6  # h: marks counted from different starts differ in their last bits
CLOSE = 5 / 60  # h between samples where an estimated time may lie


@dataclass(frozen=True)
class SearchAxis:
    """What is estimated, from its lower bound (position 0) to its upper one (1), in `unit`; `column`: its place among
    the parameters, None for a time."""

    name: str
    unit: str
    low: float
    high: float
    start: float
    logarithmic: bool
    column: int | None
    factor: float  # a value times this is coherent

    def value(self, position: Floats | float) -> Floats:
        position = np.asarray(position, float)
        if self.logarithmic:
            return np.asarray(np.exp(np.log(self.low) * (1 - position) + np.log(self.high) * position))
        return np.asarray(self.low * (1 - position) + self.high * position)

    def position(self, value: float) -> float:
        if self.logarithmic:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)

    def width(self, value: float) -> float:
        """How much the logarithm of a value moves per position, at that value."""
        return float(np.log(self.high / self.low)) if self.logarithmic else (self.high - self.low) / value


@dataclass(frozen=True)
class Problem:
    """A fit, ready to be held against positions. Data are in their own units: `observed`, `error` (data,); where
    `logarithmic`, the error is that of the logarithm. `fitted` says which data count."""

    fit: Fit
    axes: tuple[SearchAxis, ...]
    lanes: Lanes
    facts: dict[str, Datum]
    observed: Floats
    error: Floats
    logarithmic: np.ndarray
    fitted: np.ndarray
    factors: Floats  # a reading in the output's unit times this is in the datum's

    @cached_property
    def start(self) -> Floats:
        return np.array([axis.position(axis.start) for axis in self.axes])

    def values(self, position: Floats) -> Floats:
        """The estimated values at a position (parameters,), each in its unit."""
        return np.array([float(axis.value(p)) for axis, p in zip(self.axes, position, strict=True)])

    def predictions(self, positions: Floats) -> tuple[Floats, list[str]]:
        """What each datum should be at positions (lanes, parameters): (lanes, data), in the data's units; NaN where a
        lane cannot be solved, and why not. One call of the engine."""
        parameters = np.tile(self.lanes.typical, (len(positions), 1))
        moments: dict[str, Floats] = {}
        for axis, column in zip(self.axes, positions.T, strict=True):
            values = axis.value(column) * axis.factor
            if axis.column is None:
                moments[axis.name] = values
            else:
                parameters[:, axis.column] = values
        curves, why = self.lanes.curves(parameters)
        arms, outputs = list(self.lanes.doses), list(self.lanes.outputs)
        taken = {arm: np.array([dose.time for dose in doses]) for arm, doses in self.lanes.doses.items()}
        found = [
            reading(
                fact,
                self.lanes.times,
                curves[:, arms.index(fact.arm), :, outputs.index(fact.output)],
                taken[fact.arm],
                moments,
            )
            for fact in self.facts.values()
        ]
        return np.column_stack(found) * self.factors, why

    def residuals(self, predicted: Floats) -> Floats:
        """(lanes, data) in units of the errors; NaN where a datum on the log scale is predicted as 0 or less."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.log(predicted) - np.log(np.where(self.logarithmic, self.observed, 1.0))
        plain = np.where(self.logarithmic, logarithm, predicted - self.observed)
        return np.where(np.isfinite(plain), plain / self.error, np.nan)


def problem_of(fit: Fit, solver: SolverName) -> Problem:
    """The numbers of a fit. Raises LdnsimError where its changes or arms cannot be simulated."""
    scenario = fit.scenario
    resolved = resolve(scenario)
    lanes = lanes_of(scenario, resolved, _times(fit, resolved), solver)
    axes = tuple(_axis(fit, resolved, lanes, name, estimate) for name, estimate in fit.estimate.items())
    facts = fit.data
    written = [declared(fact.value.unit, molar_mass(fit.model, fact.of)) for fact in facts.values()]
    outputs = [fit.model.outputs[fact.output] for fact in facts.values()]
    units = [
        declared(fact.unit_for(output.unit), molar_mass(fit.model, output.of))
        for fact, output in zip(facts.values(), outputs, strict=True)
    ]
    models = [error_model(fact) for fact in facts.values()]
    logarithmic = np.array(
        [
            (model is None or model.logarithmic) and fact.value.value > 0
            for model, fact in zip(models, facts.values(), strict=True)
        ]
    )
    return Problem(
        fit=fit,
        axes=axes,
        lanes=lanes,
        facts=facts,
        observed=np.array([fact.value.value for fact in facts.values()]),
        error=np.array([_error(fit, fact, model) for fact, model in zip(facts.values(), models, strict=True)]),
        logarithmic=logarithmic,
        fitted=np.array([fact.use == "fit" for fact in facts.values()]),
        factors=np.array(units) / np.array(written),
    )


def _error(fit: Fit, fact: Datum, model: ErrorModel | None) -> float:
    """The standard error: in the datum's unit, or of its logarithm; 1 for a test that has none."""
    if model is None:
        return 1.0
    mass = molar_mass(fit.model, fact.of)
    sd = np.nan if fact.sd is None else coherent(fact.sd, mass) / declared(fact.value.unit, mass)
    return model.error(fact.value.value, np.nan if fact.cv is None else coherent(fact.cv), sd)


def _axis(fit: Fit, resolved: Resolved, lanes: Lanes, name: str, estimate: EstimatedParameter) -> SearchAxis:
    setting = resolved.settings[0]
    if name in fit.times:
        assert estimate.start is not None
        start, mass, column, address = estimate.start, None, None, name
    else:
        address = qualified(name, [setting])
        present = setting.values[address]
        mass = molar_mass(fit.model, setting.parameters[address].of)
        start = Quantity(coherent(estimate.start or present, mass) / declared(present.unit, mass), present.unit)
        column = lanes.system.parameters.index(address)
    factor = declared(start.unit, mass)
    low, high = (coherent(bound, mass) / factor for bound in estimate.bounds)
    logarithmic = estimate.scale == "log"
    if not low <= start.value <= high * (1 + 1e-12):
        message = f"the start {start} is outside of the bounds"
        raise LdnsimError(Fault(message, ("estimate", name), f"{low:g} to {high:g}"))
    return SearchAxis(address, start.unit, low, high, start.value, logarithmic, column, factor)


def _times(fit: Fit, resolved: Resolved) -> Floats:
    """The usual samples, every time that a datum speaks of, and all of where an estimated time may lie."""
    usual = sample_times(fit.scenario, resolved)
    asked = np.unique(np.concatenate([np.empty(0), *_asked(fit)]))
    new = [np.all(np.abs(usual - moment) > SAME) for moment in asked]
    more = asked[new]
    return np.unique(np.concatenate([usual, more[np.diff(more, prepend=-np.inf) > SAME]]))


def _asked(fit: Fit) -> Iterator[Floats]:
    for fact in fit.data.values():
        yield np.array([moment for moment in (fact.at, fact.over) if isinstance(moment, float)])
        if fact.window:
            yield np.array([hours(edge) for edge in fact.window])
    for name in fit.times:
        low, high = (hours(bound) for bound in fit.estimate[name].bounds)
        yield np.linspace(low, high, max(5, round((high - low) / CLOSE) + 1))
