"""Checks of a fit: its arms as those of a scenario, each parameter and each datum against the model."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import MOST_FAULTS, Fault, listed, nearest
from ldnsim.foundation.expressions import BUILT_IN
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent, drug_dimension, parse_unit
from ldnsim.library.checks.scenario import scenario_faults
from ldnsim.library.checks.sources import source_faults
from ldnsim.library.error_model import error_model
from ldnsim.metrics.catalogue import all_metrics, metric_named
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.system import compose, molar_mass
from ldnsim.scenario.changes import examine, qualified, setting_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ldnsim.library.fit_file import Datum, EstimatedParameter, Fit
    from ldnsim.scenario.changes import Setting

__all__ = ["datum_faults", "fit_faults"]

Path = tuple[str | int, ...]


def fit_faults(fit: Fit, sources: Collection[str]) -> list[Fault]:
    """Faults of a fit file."""
    checks: list[Iterator[Fault]] = [_scenario_faults(fit), _estimate_faults(fit)]
    for name, fact in fit.facts.items():
        checks.append(_datum_faults(fit, fact, ("facts", name)))
        checks.append(source_faults(fact.source, sources, ("facts", name, "source")))
    for name, table in fit.tables.items():
        checks.append(source_faults(table.source, sources, ("tables", name, "source")))
        if table.cv and table.sd and error_model(table) is None:
            checks.append(iter([Fault("both cv and sd", ("tables", name, "sd"), "one of them", at_key=True)]))
    checks.append(_count_faults(fit))
    return list(islice(chain.from_iterable(checks), MOST_FAULTS))


def datum_faults(fit: Fit, fact: Datum, path: Path) -> list[Fault]:
    """Faults of one datum."""
    return list(_datum_faults(fit, fact, path))


def _scenario_faults(fit: Fit) -> Iterator[Fault]:
    if len(fit.model.accounts) > 1 and fit.account is None:
        message = f"'account' is missing: model {fit.model.name} has {len(fit.model.accounts)}"
        yield Fault(message, (), f"one of {listed(fit.model.accounts)}")
    for fault in scenario_faults(fit.scenario):
        yield replace(fault, path=("account",)) if fault.path[:1] == ("accounts",) else fault


def _estimate_faults(fit: Fit) -> Iterator[Fault]:
    setting = setting_of(fit.model, (*fit.scenario.accounts, fit.model.name)[0])
    seen: dict[str, str] = {}
    for address, estimate in fit.estimate.items():
        path = ("estimate", address)
        if address in fit.times:
            yield from _time_faults(fit, address, estimate)
            continue
        found = qualified(address, [setting])
        if "." not in found and _may_be_a_time(fit, estimate):
            continue
        if found in seen:
            yield Fault(f"{address} is {seen[found]} again", path, "each parameter once", at_key=True)
            continue
        seen[found] = address
        if found in {qualified(changed, [setting]) for changed in fit.changes}:
            yield Fault(f"{address} is changed and estimated", path, "one of the two", at_key=True)
            continue
        faults = list(_parameter_faults(fit, address, estimate, setting.values))
        if not faults and found not in _behind_data(fit, setting):
            faults = [Fault(f"{address} moves none of the data", path, "data that depend on it", at_key=True)]
        yield from faults
        if not faults:
            resolved, _ = examine(fit.scenario)
            start = estimate.start or resolved.settings[0].values[found]
            mass = molar_mass(fit.model, setting.parameters[found].of)
            yield from _bound_faults(address, estimate, [coherent(q, mass) for q in (start, *estimate.bounds)])


def _may_be_a_time(fit: Fit, estimate: EstimatedParameter) -> bool:
    """Whether it may be a time that the data call by another name, which is a fault of the datum."""
    called = {moment for fact in fit.data.values() for moment in (fact.at, fact.over) if isinstance(moment, str)}
    return estimate.bounds[0].dimension == BUILT_IN["day"] and bool(called - fit.estimate.keys())


def _behind_data(fit: Fit, setting: Setting) -> set[str]:
    """Every parameter that a datum, or the delivery of a dose to it, depends on."""
    rests_on = compose(fit.model, setting.parts).rests_on
    behind = {name for fact in fit.data.values() for name in rests_on.get(fact.output, ())}
    inputs = {line.input for arm in fit.arms.values() for line in arm.regimen}
    for product in (product for name, product in fit.model.inputs.items() if name in inputs):
        if behind & set(product.to):
            behind |= set(product.delivery_parameters)
    return behind


def _parameter_faults(fit: Fit, address: str, estimate: EstimatedParameter, known: Collection[str]) -> Iterator[Fault]:
    """What is wrong with changing an address to the start or to a bound; and only parameters can be estimated."""
    reported: set[str] = set()
    values = {("bounds", 0): estimate.bounds[0], ("bounds", 1): estimate.bounds[1]}
    if estimate.start is not None:
        values = {("start",): estimate.start, **values}  # type: ignore[dict-item]
    head = address.partition(".")[0]
    if address in fit.model.slots or address.endswith(".rivals") or head in (*fit.arms, "population", "duration"):
        yield Fault(f"{address} is no parameter", ("estimate", address), "slot.parameter", at_key=True)
        return
    before = {fault.message for fault in examine(fit.scenario)[1]}
    for place, value in values.items():
        changed = fit.scenario.model_copy(update={"changes": {**fit.changes, address: str(value)}})
        for fault in examine(changed)[1]:
            if fault.path[:2] == ("changes", address) and fault.message not in reported | before:
                reported.add(fault.message)
                path = ("estimate", address, *(() if fault.at_key else place))
                expected = "slot.parameter" if "slot.rivals" in fault.expected else fault.expected
                near = fault.nearest if fault.nearest in known else nearest(address, [*fit.times, *known])
                yield Fault(fault.message, path, expected, near, at_key=fault.at_key)


def _time_faults(fit: Fit, name: str, estimate: EstimatedParameter) -> Iterator[Fault]:
    path = ("estimate", name)
    values = [value for value in (estimate.start, *estimate.bounds) if value is not None]
    if wrong := [value for value in values if value.dimension != BUILT_IN["day"]]:
        yield Fault(f"{name} is a time, and {wrong[0]} is none", path, "for example 4 h")
        return
    if estimate.start is None:
        yield Fault("'start' is missing", path, "a time: no model knows it", at_key=True)
        return
    if hours(estimate.bounds[1]) > hours(fit.duration) or hours(estimate.bounds[0]) < 0:
        yield Fault("the bounds reach out of the run", (*path, "bounds"), f"0 h to {hours(fit.duration):g} h")
    yield from _bound_faults(name, estimate, [hours(value) for value in values])


def _bound_faults(name: str, estimate: EstimatedParameter, values: list[float]) -> Iterator[Fault]:
    """Of start, low and high as coherent numbers."""
    path = ("estimate", name, "bounds")
    start, low, high = values
    if not low < high:
        yield Fault("the bounds are not in order", path, "two values, the lower first")
    elif estimate.scale == "log" and low <= 0:
        expected = "a lower bound above 0, or scale: linear"
        yield Fault(f"{estimate.bounds[0]} has no logarithm", (*path, 0), expected)
    elif not low <= start <= high:
        where = f"{estimate.bounds[0]} to {estimate.bounds[1]}"
        if estimate.start is None:
            yield Fault(f"{name} starts outside of its bounds", path, "bounds around the value that it has")
        else:
            message = f"the start {estimate.start} is outside of the bounds"
            yield Fault(message, ("estimate", name, "start"), f"a value from {where}")


def _datum_faults(fit: Fit, fact: Datum, path: Path) -> Iterator[Fault]:
    if fact.arm not in fit.arms:
        yield Fault(f"there is no arm {fact.arm!r}", (*path, "arm"), listed(fit.arms), nearest(fact.arm, fit.arms))
    if (fact.at is None) == (fact.metric is None):
        both = "both" if fact.metric else "neither"
        yield Fault(f"{both} a time and a metric", path, "one of at: 4 h and metric: Cmax", at_key=True)
    if fact.over is not None and fact.at is None:
        yield Fault("over without at", (*path, "over"), "over: the time of the value that this one is divided by")
    if fact.window is not None and fact.metric is None:
        yield Fault("a window without a metric", (*path, "window"), "metric: AUC_tau", at_key=True)
    if fact.metric == "half_life" and fact.window is None:
        yield Fault("a half-life depends on its window", path, "window: [2 h, 12 h]", at_key=True)
    yield from _moment_faults(fit, fact, path)
    yield from _error_faults(fact, path)
    yield from _output_faults(fit, fact, path)


def _moment_faults(fit: Fit, fact: Datum, path: Path) -> Iterator[Fault]:
    end = hours(fit.duration)
    for field, moment in (("at", fact.at), ("over", fact.over)):
        if isinstance(moment, str) and moment not in fit.estimate:
            names = [name for name in fit.estimate if "." not in name]
            expected = "a time, or the name of one that is estimated"
            yield Fault(f"no time {moment!r} is estimated", (*path, field), expected, nearest(moment, names))
        elif isinstance(moment, float) and moment > end:
            yield Fault(f"{moment:g} h is outside of the run", (*path, field), f"0 h to {end:g} h")
    if fact.window is not None:
        start, stop = map(hours, fact.window)
        if not start < stop <= end:
            message = f"the window from {start:g} h to {stop:g} h does not lie in the run"
            yield Fault(message, (*path, "window"), f"start before end, within 0 h and {end:g} h")


def _error_faults(fact: Datum, path: Path) -> Iterator[Fault]:
    model = error_model(fact)
    if fact.cv is not None and fact.sd is not None and model is None:
        yield Fault("both cv and sd", (*path, "sd"), "one of them", at_key=True)
    elif fact.use == "fit" and fact.cv is None and fact.sd is None:
        expected = "cv: 20 % (held against the model on the log scale) or sd: 7 % (on the linear one)"
        yield Fault("the error is missing", path, expected, at_key=True)
    on_log_scale = model.logarithmic if model else fact.sd is None
    if fact.value.value <= 0 and on_log_scale and fact.use == "fit":
        yield Fault(f"{fact.value} has no logarithm", (*path, "value"), "a value above 0, or an error as sd")


def _output_faults(fit: Fit, fact: Datum, path: Path) -> Iterator[Fault]:
    outputs = fit.model.outputs
    if fact.output not in outputs:
        message = f"model {fit.model.name} has no output {fact.output!r}"
        yield Fault(message, (*path, "output"), listed(outputs), nearest(fact.output, outputs))
        return
    output = outputs[fact.output]
    metric, kind = metric_named(fact.metric), kind_named(output.kind)
    if metric is not None and not metric.is_for(kind):
        fitting = listed(known.name for known in all_metrics().values() if known.is_for(kind))
        message = f"{fact.metric} is no metric of {fact.output}, whose kind is {kind.name}"
        yield Fault(message, (*path, "metric"), fitting)
    if fact.of is not None and fact.of not in fit.model.drugs:
        drugs = fit.model.drugs
        message = f"model {fit.model.name} has no drug {fact.of!r}"
        yield Fault(message, (*path, "of"), listed(drugs), nearest(fact.of, drugs))
        return
    wanted = fact.unit_for(output.unit)
    dimension = drug_dimension(parse_unit(wanted).dimension, output.of is not None or fact.of is not None)
    for field, found in (("value", fact.value), ("sd", fact.sd)):
        if found is not None and drug_dimension(found.dimension, fact.of is not None) != dimension:
            hint = ", or `of` to say which drug is weighed" if found.dimension.mass and not fact.of else ""
            yield Fault(
                f"{found} has another unit than {fact.output}",
                (*path, field),
                f"a value in {wanted}{hint}" if wanted != "1" else "a share, such as 40 %",
            )


def _count_faults(fit: Fit) -> Iterator[Fault]:
    """As many data as parameters, at the least."""
    used = sum(fact.use == "fit" for fact in fit.data.values())
    if not fit.estimate:
        yield Fault("nothing is estimated", ("estimate",), "slot.parameter: {bounds: [low, high]}", at_key=True)
    elif not used:
        expected = "facts, or tables with observations, that are not marked use: test"
        yield Fault("there are no data to fit", ("facts",) if fit.facts else (), expected, at_key=True)
    elif used < len(fit.estimate):
        message = f"{used} data for {len(fit.estimate)} parameters"
        yield Fault(message, ("estimate",), "at least as many data as parameters", at_key=True)
