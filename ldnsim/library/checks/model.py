"""Checks of a model: slots, drugs, accounts, inputs, outputs."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.dosing.limits import AMOUNT, MASS
from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, listed, nearest
from ldnsim.foundation.expressions import BUILT_IN
from ldnsim.foundation.units import DIMENSIONLESS, coherent, drug_dimension, parse_unit
from ldnsim.library.checks.exchange import Exchange, cycle_faults, exchange_faults
from ldnsim.library.checks.part import range_faults
from ldnsim.library.checks.sources import source_faults
from ldnsim.model.output_kinds import kind_named
from ldnsim.model.records import Account
from ldnsim.model.system import molar_mass
from ldnsim.scenario.changes import RESERVED, setting_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ldnsim.foundation.units import Dimension, Quantity
    from ldnsim.model.records import Input, Model, Observed, Output, Parameter, Part, State

__all__ = ["model_faults"]

ACCOUNT_WORDS = tuple(Account.model_fields)
BASE = "base"


def model_faults(model: Model, sources: Collection[str]) -> list[Fault]:
    """Faults of a model whose parts are without fault."""
    exchange = Exchange(model)
    checks = [
        _slot_faults(model),
        exchange_faults(exchange),
        _drug_faults(model, sources),
        _faults_of_drugs_in_parts(model),
        _account_faults(model, sources),
        _input_faults(model),
        _output_faults(exchange),
    ]
    faults = list(islice(chain.from_iterable(checks), MOST_FAULTS))
    return faults or list(cycle_faults(model))


def _slot_faults(model: Model) -> Iterator[Fault]:
    if not model.slots:
        yield Fault("a model without slots", ("slots",), "slot: part", at_key=True)
    for slot, parts in model.slots.items():
        if slot in RESERVED or slot in ACCOUNT_WORDS:
            yield Fault(f"{slot!r} is a reserved word", ("slots", slot), "another name", at_key=True)
        names = [part.name for part in parts]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield Fault(f"{name} stands twice in the slot", ("slots", slot, index), "each part once")


def _drug_faults(model: Model, sources: Collection[str]) -> Iterator[Fault]:
    molar = parse_unit("g/mol").dimension
    for name, drug in model.drugs.items():
        yield from source_faults(drug.source, sources, ("drugs", name, "source"))
        masses: list[tuple[tuple[str, ...], Quantity]] = [(("drugs", name, "molar_mass"), drug.molar_mass)]
        masses += [(("drugs", name, "salts", salt), mass) for salt, mass in drug.salts.items()]
        for path, mass in masses:
            if mass.dimension != molar:
                yield Fault(f"{mass} is no molar mass", path, "a value in g/mol")
        if drug.mechanism and drug.mechanism.from_.dimension not in (MASS, AMOUNT):
            yield Fault(
                f"{drug.mechanism.from_} is no dose",
                ("drugs", name, "mechanism", "from"),
                "a mass or an amount, such as 1 ug",
            )


def _faults_of_drugs_in_parts(model: Model) -> Iterator[Fault]:
    """Drugs of parameters and states that the model has, and ranges that hold their value by the drug's molar mass."""
    for slot, parts in model.slots.items():
        for index, part in enumerate(parts):
            path = ("slots", slot, index)
            records: list[Parameter | State] = [*part.parameters.values(), *part.states.values()]
            for drug in dict.fromkeys(record.of for record in records if record.of):
                if drug not in model.drugs:
                    message = f"{part.name} speaks of {drug!r}, which drugs lacks"
                    yield Fault(message, path, listed(model.drugs), nearest(drug, model.drugs))
            yield from (fault.under(*path) for fault in _mixed_range_faults(model, part))


def _mixed_range_faults(model: Model, part: Part) -> Iterator[Fault]:
    """Ranges in which masses and amounts stand side by side: what the part alone cannot compare."""
    for name, parameter in part.parameters.items():
        quantities = [parameter.value, *(parameter.range or ())]
        if parameter.of in model.drugs and len({quantity.dimension for quantity in quantities}) > 1:
            for fault in range_faults(parameter, molar_mass(model, parameter.of)):
                if fault.path == ("range",):  # the others are faults of the part itself
                    yield Fault(f"{part.name}.{name}: {fault.message}", (), fault.expected)


def _account_faults(model: Model, sources: Collection[str]) -> Iterator[Fault]:
    for name, account in model.accounts.items():
        yield from source_faults(account.source, sources, ("accounts", name, "source"))
        complete = True
        for slot, choice in account.choices.items():
            path = ("accounts", name, slot)
            names = [part.name for part in model.slots.get(slot, ())]
            if slot not in model.slots:
                expected = f"{', '.join(ACCOUNT_WORDS)} or a slot ({listed(model.slots)})"
                near = nearest(slot, [*model.slots, *ACCOUNT_WORDS])
                yield Fault(f"unknown key {slot!r}", path, expected, near, at_key=True)
            elif choice not in names:
                complete = False
                message = f"slot {slot} has no alternative {choice!r}"
                yield Fault(message, path, listed(dict.fromkeys(names)), nearest(choice, names))
        if complete:
            try:
                setting_of(model, name)
            except LdnsimError as caught:
                yield from (fault.under("accounts", name) for fault in caught.faults)


def _input_faults(model: Model) -> Iterator[Fault]:
    parts = [(slot, part) for slot, parts in model.slots.items() for part in parts]
    parameters = {f"{slot}.{name}": record for slot, part in parts for name, record in part.parameters.items()}
    states = {f"{slot}.{name}": record for slot, part in parts for name, record in part.states.items()}
    for name, product in model.inputs.items():
        path = ("inputs", name)
        yield from (fault.under(*path) for fault in _product_faults(model, product))
        if not product.to:
            yield Fault("the dose goes nowhere", (*path, "to"), "slot.state: share", at_key=True)
        if sum(share for share in product.to.values() if not isinstance(share, str)) > 1 + 1e-9:
            message = "the shares add up to more than the dose"
            yield Fault(message, (*path, "to"), "at most 1 in all", at_key=True)
        yield from (fault.under(*path) for fault in _delivery_faults(product, parameters))
        yield from (fault.under(*path) for fault in _target_faults(product, states))


def _product_faults(model: Model, product: Input) -> Iterator[Fault]:
    if product.drug not in model.drugs:
        message = f"unknown drug {product.drug!r}"
        yield Fault(message, ("drug",), listed(model.drugs), nearest(product.drug, model.drugs))
        return
    known = [BASE, *model.drugs[product.drug].salts]
    if product.salt not in known:
        message = f"{product.drug} has no salt {product.salt!r}"
        yield Fault(message, ("salt",), listed(known), nearest(product.salt, known))


def _delivery_faults(product: Input, parameters: Mapping[str, Parameter]) -> Iterator[Fault]:
    """Faults of the delivery parameters: lag, release duration or rate, and shares that are parameters."""
    delivery: list[tuple[tuple[str, ...], str, Dimension]] = []
    hour = BUILT_IN["t"]
    for field, dimension in {"lag": hour, "over": hour, "rate": AMOUNT.times(hour, -1)}.items():
        if getattr(product, field) is not None:
            delivery.append(((field,), getattr(product, field), dimension))
    delivery += [(("to", target), way, DIMENSIONLESS) for target, way in product.to.items() if isinstance(way, str)]
    for path, address, wanted in delivery:
        if address not in parameters:
            yield Fault(f"{address!r} names no parameter", path, "slot.parameter", nearest(address, parameters))
        elif parameters[address].dimension != wanted:
            unit = "without unit" if wanted == DIMENSIONLESS else f"in {wanted}"
            yield Fault(f"{address} is in {parameters[address].value.unit}", path, f"a parameter {unit}")


def _target_faults(product: Input, states: Mapping[str, State]) -> Iterator[Fault]:
    for target in product.to:
        if target not in states:
            message = f"a dose into {target!r}, which is no state"
            yield Fault(message, ("to", target), "slot.state", nearest(target, states), at_key=True)
        elif states[target].dimension != AMOUNT:
            message = f"{target} is in {states[target].unit}, and a dose is an amount"
            yield Fault(message, ("to", target), "a state in nmol", at_key=True)


def _output_faults(exchange: Exchange) -> Iterator[Fault]:
    model, exporters = exchange.model, exchange.exporters
    for name, output in model.outputs.items():
        path = ("outputs", name)
        if name not in exporters:
            yield Fault(f"no slot exports {name!r}", path, listed(exporters), nearest(name, exporters), at_key=True)
            continue
        if output.of is not None and output.of not in model.drugs:
            message = f"unknown drug {output.of!r}"
            yield Fault(message, (*path, "of"), listed(model.drugs), nearest(output.of, model.drugs))
        yield from (fault.under(*path) for fault in _output_unit_faults(exchange, name, output))
        if output.observed is not None:
            yield from (fault.under(*path, "observed") for fault in _observed_faults(output.observed))


def _observed_faults(observed: Observed) -> Iterator[Fault]:
    low, high = observed.doses
    if low.dimension not in (MASS, AMOUNT) or low.dimension != high.dimension or coherent(low) > coherent(high):
        yield Fault("this is no range of doses", ("doses",), "two amounts, the smaller first: [2 mg, 50 mg]")


def _output_unit_faults(exchange: Exchange, name: str, output: Output) -> Iterator[Fault]:
    found = drug_dimension(parse_unit(output.unit).dimension, output.of is not None)
    bare = output.relative_to is not None or kind_named(output.kind).unitless
    if bare and (found != DIMENSIONLESS or parse_unit(output.unit).factor != 1):
        what = "a ratio" if output.relative_to else f"a share or level of kind {output.kind}"
        yield Fault(f"{name} is {what} and has no unit", ("unit",), '"1"')
        return
    if output.relative_to is not None:
        return
    for part in exchange.parts_exporting(name):
        wanted = exchange.dimension(part, name)
        if wanted is not None and found != wanted:
            message = f"{part.name} exports {name} in {wanted}, not in {output.unit}"
            yield Fault(message, ("unit",), f"a unit like {wanted}")
            return
