"""A fit as numbers: parameters as positions between their bounds, data as residuals in units of their error."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.calibration.fitting.batch import RTOL, Batch, batch_of
from ldnsim.calibration.fitting.predict import predict
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import Quantity, coherent, declared
from ldnsim.library.error_model import error_model
from ldnsim.metrics.catalogue import metric_named
from ldnsim.model.system import molar_mass
from ldnsim.scenario.changes import qualified, resolve

if TYPE_CHECKING:
    from ldnsim.engine.choose import SolverName
    from ldnsim.library.error_model import ErrorModel
    from ldnsim.library.fit_file import Datum, EstimatedParameter, Fit
    from ldnsim.metrics.nca import Floats
    from ldnsim.scenario.changes import Resolved

__all__ = ["Problem", "SearchAxis", "problem_of"]


@dataclass(frozen=True)
class SearchAxis:
    """An estimated quantity from its lower bound (position 0) to its upper bound (position 1), in `unit`; `column` is
    its index among the parameters, None for a time."""

    name: str
    unit: str
    low: float
    high: float
    start: float
    logarithmic: bool
    column: int | None
    factor: float  # from `unit` to coherent units

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
        """The slope of the logarithm of a value in the position, at that value."""
        return float(np.log(self.high / self.low)) if self.logarithmic else (self.high - self.low) / value


@dataclass(frozen=True)
class Problem:
    """A fit, ready to be evaluated at positions. `observed` and `error` (data,) are in the units of the data; where
    `logarithmic`, the error is that of the logarithm. `fitted` (data,) is False for test data."""

    fit: Fit
    axes: tuple[SearchAxis, ...]
    batch: Batch
    data: dict[str, Datum]
    observed: Floats
    error: Floats
    logarithmic: np.ndarray
    fitted: np.ndarray
    factors: Floats  # from the output's unit to the datum's

    @cached_property
    def start(self) -> Floats:
        return np.array([axis.position(axis.start) for axis in self.axes])

    def values(self, position: Floats) -> Floats:
        """The estimated values at a position (parameters,), each in its unit."""
        return np.array([float(axis.value(p)) for axis, p in zip(self.axes, position, strict=True)])

    def predictions(self, positions: Floats) -> tuple[Floats, list[str]]:
        """Predict the data at positions (rows, parameters), in one call of the engine.

        Returns the predictions (rows, data) in the data's units, NaN where a row cannot be solved, and per row the
        reason, "" where solved.
        """
        parameters = np.tile(self.batch.typical, (len(positions), 1))
        estimated_times: dict[str, Floats] = {}
        for axis, column in zip(self.axes, positions.T, strict=True):
            values = axis.value(column) * axis.factor
            if axis.column is None:
                estimated_times[axis.name] = values
            else:
                parameters[:, axis.column] = values
        curves = self.batch.curves(parameters)
        arms, outputs = list(self.batch.doses), list(self.batch.outputs)
        dose_times = {arm: np.array([dose.time for dose in doses]) for arm, doses in self.batch.doses.items()}
        found = [
            predict(
                datum,
                self.batch.times,
                curves.values[:, arms.index(datum.arm), :, outputs.index(datum.output)],
                curves.curve(arms.index(datum.arm), datum.output),
                dose_times[datum.arm],
                estimated_times,
            )
            for datum in self.data.values()
        ]
        return np.column_stack(found) * self.factors, curves.reason

    def residuals(self, predicted: Floats) -> Floats:
        """Residuals (rows, data) in units of the errors; NaN where a datum on the log scale is predicted as <= 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            logarithm = np.log(predicted) - np.log(np.where(self.logarithmic, self.observed, 1.0))
        plain = np.where(self.logarithmic, logarithm, predicted - self.observed)
        return np.where(np.isfinite(plain), plain / self.error, np.nan)


def problem_of(fit: Fit, solver: SolverName, rtol: float = RTOL) -> Problem:
    """Convert a fit to numbers. Raises LdnsimError where its changes or arms cannot be simulated."""
    scenario = fit.scenario
    resolved = resolve(scenario)
    batch = batch_of(scenario, resolved, *_required(fit, hours(resolved.duration)), solver, rtol)
    axes = tuple(_axis(fit, resolved, batch, name, estimate) for name, estimate in fit.estimate.items())
    data = fit.data
    units = [declared(datum.value.unit, molar_mass(fit.model, datum.of)) for datum in data.values()]
    outputs = [fit.model.outputs[datum.output] for datum in data.values()]
    output_units = [
        declared(datum.unit_for(output.unit), molar_mass(fit.model, output.of))
        for datum, output in zip(data.values(), outputs, strict=True)
    ]
    models = [error_model(datum) for datum in data.values()]
    logarithmic = np.array(
        [
            (model is None or model.logarithmic) and datum.value.value > 0
            for model, datum in zip(models, data.values(), strict=True)
        ]
    )
    return Problem(
        fit=fit,
        axes=axes,
        batch=batch,
        data=data,
        observed=np.array([datum.value.value for datum in data.values()]),
        error=np.array([_error(fit, datum, model) for datum, model in zip(data.values(), models, strict=True)]),
        logarithmic=logarithmic,
        fitted=np.array([datum.use == "fit" for datum in data.values()]),
        factors=np.array(output_units) / np.array(units),
    )


def _error(fit: Fit, datum: Datum, model: ErrorModel | None) -> float:
    """The standard error in the datum's unit, or of its logarithm; 1 for a test datum without one."""
    if model is None:
        return 1.0
    mass = molar_mass(fit.model, datum.of)
    sd = np.nan if datum.sd is None else coherent(datum.sd, mass) / declared(datum.value.unit, mass)
    return model.error(datum.value.value, np.nan if datum.cv is None else coherent(datum.cv), sd)


def _axis(fit: Fit, resolved: Resolved, batch: Batch, name: str, estimate: EstimatedParameter) -> SearchAxis:
    setting = resolved.settings[0]
    if name in fit.times:
        assert estimate.start is not None
        start, mass, column, address = estimate.start, None, None, name
    else:
        address = qualified(name, [setting])
        present = setting.values[address]
        mass = molar_mass(fit.model, setting.parameters[address].of)
        start = Quantity(coherent(estimate.start or present, mass) / declared(present.unit, mass), present.unit)
        column = batch.system.parameters.index(address)
    factor = declared(start.unit, mass)
    low, high = (coherent(bound, mass) / factor for bound in estimate.bounds)
    logarithmic = estimate.scale == "log"
    if not low <= start.value <= high * (1 + 1e-12):
        message = f"the start {start} is outside the bounds"
        raise LdnsimError(Fault(message, ("estimate", name), f"{low:g} to {high:g}"))
    return SearchAxis(address, start.unit, low, high, start.value, logarithmic, column, factor)


def _required(fit: Fit, end: float) -> tuple[Floats, tuple[tuple[float, float], ...]]:
    """The times of the data and both ends of the run, h; and the spans of their windows and of estimated times."""
    data = fit.data.values()
    times = [time for datum in data for time in (datum.at, datum.over) if isinstance(time, float)]
    spans = {(hours(datum.window[0]), hours(datum.window[1])) for datum in data if datum.window}
    spans |= {(hours(low), hours(high)) for low, high in (fit.estimate[name].bounds for name in fit.times)}
    if any(datum.at is None and _needs_whole_run(datum) for datum in data):
        spans.add((0.0, end))
    return np.unique([0.0, *times, end]), tuple(sorted(spans)) or ((0.0, end),)


def _needs_whole_run(datum: Datum) -> bool:
    """Whether a metric is read over the whole run, or after the last dose."""
    metric = metric_named(datum.metric)
    return datum.window is None or (metric is not None and metric.past_window)
