"""Checks of a model: slots against each other, drugs, accounts, inputs, outputs."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from ldnsim.addresses import RESERVED, setting_of
from ldnsim.checks.part import range_faults, source_faults
from ldnsim.errors import MOST_FAULTS, Fault, LdnsimError, Lost, listed, nearest
from ldnsim.expressions import BUILT_IN, read_equations
from ldnsim.limits import AMOUNT, MASS
from ldnsim.model import Account
from ldnsim.system import compose, molar_mass, part_dimensions
from ldnsim.units import DIMENSIONLESS, coherent, drug_dimension, parse_unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ldnsim.model import Input, Model, Output, Parameter, Part
    from ldnsim.units import Dimension

__all__ = ["model_faults"]

ACCOUNT_WORDS = tuple(Account.model_fields)
BASE = "base"


def model_faults(model: Model, sources: Collection[str], lost: Lost = Lost(), *, sound: bool = True) -> list[Fault]:  # noqa: B008 - frozen
    """Faults of a model, as far as it and its parts could be read. `sound` says that its parts are without fault."""
    checks = [
        _slot_faults(model, lost),
        _exchange_faults(model, lost),
        _drug_faults(model, sources, lost),
        _account_faults(model, lost),
    ]
    checks += [_input_faults(model, lost), _output_faults(model, lost)]
    faults = list(islice(chain.from_iterable(checks), MOST_FAULTS))
    return faults or (list(_cycle_faults(model)) if sound and not lost else [])


def _slot_faults(model: Model, lost: Lost) -> Iterator[Fault]:
    if not model.slots and not lost.touches("slots"):
        yield Fault("a model without slots", ("slots",), "slot: part", at_key=True)
    for slot, parts in model.slots.items():
        if slot in RESERVED or slot in ACCOUNT_WORDS:
            yield Fault(f"{slot!r} is a reserved word", ("slots", slot), "another name", at_key=True)
        names = [part.name for part in parts]
        for index, name in enumerate(names):
            if name in names[:index] and not lost.touches("slots", slot):
                yield Fault(f"{name} stands twice in the slot", ("slots", slot, index), "each part once")


def _exchange_faults(model: Model, lost: Lost) -> Iterator[Fault]:
    """What parts give to each other: every need is exported, by one slot, by all its alternatives, in one unit."""
    givers: dict[str, dict[str, list[Part]]] = {}
    for slot, parts in model.slots.items():
        for part in parts:
            for export in part.exports:
                givers.setdefault(export, {}).setdefault(slot, []).append(part)
    needed = {need for parts in model.slots.values() for part in parts for need in part.needs} | set(model.outputs)
    given = {
        id(part): part_dimensions(part, read[2], read[0])[0]
        for part in _parts(model)
        for read in [read_equations(part.equations)]
    }
    for slot, parts in model.slots.items():
        wanted = (
            []
            if lost.touches("slots", slot)
            else sorted(export for export in needed if list(givers.get(export, ())) == [slot])
        )
        for index, part in enumerate(parts):
            path = ("slots", slot, index)
            missing = [export for export in wanted if export not in part.exports]
            if missing:
                near = nearest(missing[0], part.exports) if len(missing) == 1 else ""
                message = f"{part.name} does not export {listed(missing)}, which slot {slot} gives to others"
                yield Fault(message, path, f"exports: {listed(wanted)}", near)
            for export in part.exports:
                first = next(iter(givers[export]))
                if first != slot:
                    yield Fault(
                        f"{part.name} exports {export!r}, and so does slot {first}", path, "an export of one slot only"
                    )
            for need, unit in part.needs.items():
                if need not in givers and not lost.touches("slots"):
                    near = nearest(need, givers)
                    yield Fault(
                        f"{part.name} needs {need!r}, which no slot exports", path, f"one of {listed(givers)}", near
                    )
                for giver in (
                    giver
                    for other, parts in givers.get(need, {}).items()
                    for giver in parts
                    if not lost.touches("slots", other)
                ):
                    found, dimension = given[id(giver)].get(need), parse_unit(unit).dimension
                    if found is not None and found != dimension:
                        message = f"{part.name} needs {need} in {unit}, but {giver.name} exports it in {found}"
                        yield Fault(message, path, f"{need} in one unit")


def _parts(model: Model) -> list[Part]:
    return [part for parts in model.slots.values() for part in parts]


def _drug_faults(model: Model, sources: Collection[str], lost: Lost) -> Iterator[Fault]:
    molar = parse_unit("g/mol").dimension
    for name, drug in model.drugs.items():
        yield from source_faults(drug.source, sources, ("drugs", name, "source"))
        masses = {("molar_mass",): drug.molar_mass, **{("salts", salt): mass for salt, mass in drug.salts.items()}}
        for path, mass in masses.items():
            if mass.dimension != molar and not lost.touches("drugs", name, *path):
                yield Fault(f"{mass} is no molar mass", ("drugs", name, *path), "a value in g/mol")
    known = {*model.drugs, *lost.names("drugs")}
    masses_known = not lost.touches("drugs")
    for slot, parts in model.slots.items():
        for index, part in enumerate(parts):
            spoken = {record.of: None for record in (*part.parameters.values(), *part.states.values()) if record.of}
            for drug_name in spoken:
                if drug_name not in known:
                    near = nearest(drug_name, model.drugs)
                    yield Fault(
                        f"{part.name} speaks of {drug_name!r}, which drugs lacks",
                        ("slots", slot, index),
                        listed(model.drugs),
                        near,
                    )
            for name, parameter in part.parameters.items() if masses_known else ():
                mixed = (
                    parameter.range
                    and len({quantity.dimension for quantity in (parameter.value, *parameter.range)}) > 1
                )
                if mixed and parameter.of in model.drugs and not lost.touches("slots", slot):
                    for fault in (
                        f for f in range_faults(parameter, molar_mass(model, parameter.of)) if f.path == ("range",)
                    ):
                        yield Fault(f"{part.name}.{name}: {fault.message}", ("slots", slot, index), fault.expected)


def _account_faults(model: Model, lost: Lost) -> Iterator[Fault]:
    known = [*model.slots, *lost.names("slots")]
    for name, account in model.accounts.items():
        sound = not lost.touches("slots")
        for slot, choice in account.choices.items():
            path = ("accounts", name, slot)
            names = [part.name for part in model.slots.get(slot, ())]
            if slot not in known and ("slots",) not in lost:
                expected = f"{', '.join(ACCOUNT_WORDS)} or a slot ({listed(model.slots)})"
                yield Fault(
                    f"unknown key {slot!r}", path, expected, nearest(slot, [*known, *ACCOUNT_WORDS]), at_key=True
                )
            elif choice not in names and not lost.touches("slots", slot):
                sound = False
                yield Fault(f"slot {slot} has no alternative {choice!r}", path, listed(names), nearest(choice, names))
        if sound:
            try:
                setting_of(model, name)
            except LdnsimError as caught:
                yield from (fault.under("accounts", name) for fault in caught.faults)


def _input_faults(model: Model, lost: Lost) -> Iterator[Fault]:
    parameters = {
        f"{slot}.{name}": p
        for slot, parts in model.slots.items()
        for part in parts
        for name, p in part.parameters.items()
    }
    states = {
        f"{slot}.{name}": s for slot, parts in model.slots.items() for part in parts for name, s in part.states.items()
    }
    unread = lost.names("slots") if not lost.touches("slots") or lost.names("slots") else None
    for name, product in model.inputs.items():
        path = ("inputs", name)
        if not lost.touches(*path, "drug"):
            yield from (fault.under(*path) for fault in _product_faults(model, product, lost, (*path, "salt")))
        if not product.to and not lost.touches(*path, "to"):
            yield Fault("the dose goes nowhere", (*path, "to"), "slot.state: share", at_key=True)
        if sum(share for share in product.to.values() if not isinstance(share, str)) > 1 + 1e-9:
            yield Fault("the shares add up to more than the dose", (*path, "to"), "at most 1 in all", at_key=True)
        if unread is None:
            continue
        addresses = {("lag",): (product.lag, BUILT_IN["t"])} if product.lag is not None else {}
        addresses |= {
            ("to", target): (share, DIMENSIONLESS) for target, share in product.to.items() if isinstance(share, str)
        }
        for where, (address, wanted) in addresses.items():
            if str(address).split(".")[0] not in unread:
                yield from _parameter_faults(str(address), parameters, wanted, (*path, *where))
        for target in product.to:
            if target.split(".")[0] in unread:
                continue
            if target not in states:
                message = f"a dose into {target!r}, which is no state"
                yield Fault(message, (*path, "to", target), "slot.state", nearest(target, states), at_key=True)
            elif states[target].dimension != AMOUNT:
                message = f"{target} is in {states[target].unit}, and a dose is an amount"
                yield Fault(message, (*path, "to", target), "a state in nmol", at_key=True)


def _product_faults(model: Model, product: Input, lost: Lost, salt_path: tuple[str, ...]) -> Iterator[Fault]:
    if product.drug not in model.drugs:
        if product.drug not in lost.names("drugs"):
            yield Fault(
                f"unknown drug {product.drug!r}", ("drug",), listed(model.drugs), nearest(product.drug, model.drugs)
            )
        return
    salts = model.drugs[product.drug].salts
    known = [BASE, *salts]
    if product.salt not in known and not lost.touches(*salt_path) and not lost.touches("drugs", product.drug, "salts"):
        yield Fault(
            f"{product.drug} has no salt {product.salt!r}", ("salt",), listed(known), nearest(product.salt, known)
        )


def _parameter_faults(
    address: str, parameters: Mapping[str, Parameter], wanted: Dimension, path: tuple[str, ...]
) -> Iterator[Fault]:
    if address not in parameters:
        yield Fault(f"{address!r} names no parameter", path, "slot.parameter", nearest(address, parameters))
    elif parameters[address].dimension != wanted:
        unit = "without unit" if wanted == DIMENSIONLESS else f"in {wanted}"
        yield Fault(f"{address} is in {parameters[address].value.unit}", path, f"a parameter {unit}")


def _output_faults(model: Model, lost: Lost) -> Iterator[Fault]:
    exporters: dict[str, list[Part]] = {}
    for slot, parts in model.slots.items():
        for part in parts:
            for export in part.exports:
                exporters.setdefault(export, []).extend([part] if not lost.touches("slots", slot) else [])
    for name, output in model.outputs.items():
        path = ("outputs", name)
        if name not in exporters:
            if not lost.touches("slots"):
                yield Fault(f"no slot exports {name!r}", path, listed(exporters), nearest(name, exporters), at_key=True)
            continue
        if output.of is not None and output.of not in model.drugs and output.of not in lost.names("drugs"):
            yield Fault(
                f"unknown drug {output.of!r}", (*path, "of"), listed(model.drugs), nearest(output.of, model.drugs)
            )
        if not any(lost.touches(*path, field) for field in ("unit", "of", "relative_to")):
            yield from (fault.under(*path) for fault in _output_unit_faults(name, output, exporters[name]))
        if output.observed is not None and not lost.touches(*path, "observed"):
            low, high = output.observed.doses
            if low.dimension not in (MASS, AMOUNT) or low.dimension != high.dimension or coherent(low) > coherent(high):
                yield Fault(
                    "this is no range of doses",
                    (*path, "observed", "doses"),
                    "two amounts, the smaller first: [2 mg, 50 mg]",
                )


def _output_unit_faults(name: str, output: Output, exporters: list[Part]) -> Iterator[Fault]:
    found = drug_dimension(parse_unit(output.unit).dimension, output.of is not None)
    if output.relative_to is not None:
        if found != DIMENSIONLESS:
            yield Fault(f"{name} is a ratio and has no unit", ("unit",), '"1"')
        return
    for part in exporters:
        equations, _, unknown = read_equations(part.equations)
        wanted = part_dimensions(part, unknown, equations)[0].get(name)
        if wanted is not None and found != wanted:
            yield Fault(
                f"{part.name} exports {name} in {wanted}, not in {output.unit}", ("unit",), f"a unit like {wanted}"
            )
            return


def _cycle_faults(model: Model) -> Iterator[Fault]:
    """Algebraic cycles across parts, in each structure that can be built by one choice or by an account."""
    structures: list[tuple[tuple[str | int, ...], dict[str, str]]] = [(("slots",), {})]
    structures += [
        (("slots", slot, index), {slot: part.name})
        for slot, parts in model.slots.items()
        for index, part in enumerate(parts)
    ]
    structures += [(("accounts", name), account.choices) for name, account in model.accounts.items()]
    told: set[str] = set()
    seen: set[tuple[str, ...]] = set()
    for path, choices in structures:
        parts = model.parts(choices)
        key = tuple(part.name for part in parts.values())
        if key in seen:
            continue
        seen.add(key)
        try:
            compose(model, parts)
        except LdnsimError as caught:
            for fault in caught.faults:
                if fault.message not in told:
                    told.add(fault.message)
                    yield Fault(fault.message, path, fault.expected, fault.nearest, at_key=True)
