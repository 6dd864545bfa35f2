"""What the parts of a model give to each other: every need is exported, by one slot, by all its alternatives, in one
unit, and without running in a circle; and sums are gathered in the unit of what adds to them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest
from ldnsim.foundation.units import parse_unit
from ldnsim.model.system import compose, part_dimensions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldnsim.foundation.units import Dimension
    from ldnsim.model.records import Model, Part

__all__ = ["Exchange", "cycle_faults", "exchange_faults"]

Steps = tuple[str | int, ...]


class Exchange:
    """What parts export: export -> slot -> parts; and the dimension of each name of a part."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.exporters: dict[str, dict[str, list[Part]]] = {}
        for slot, parts in model.slots.items():
            for part in parts:
                for export in part.exports:
                    self.exporters.setdefault(export, {}).setdefault(slot, []).append(part)
        self.known: dict[int, dict[str, Dimension]] = {}

    def dimension(self, part: Part, name: str) -> Dimension | None:
        if id(part) not in self.known:
            self.known[id(part)] = part_dimensions(part)[0]
        return self.known[id(part)].get(name)

    def parts_exporting(self, export: str) -> Iterator[Part]:
        return chain.from_iterable(self.exporters.get(export, {}).values())


def exchange_faults(exchange: Exchange) -> Iterator[Fault]:
    """Faults of the parts in their slots against each other."""
    model, exporters = exchange.model, exchange.exporters
    needed = {need for parts in model.slots.values() for part in parts for need in part.needs} | set(model.outputs)
    for slot, parts in model.slots.items():
        wanted = sorted(name for name in needed if list(exporters.get(name, ())) == [slot])
        for index, part in enumerate(parts):
            path = ("slots", slot, index)
            missing = [export for export in wanted if export not in part.exports]
            if missing:
                near = nearest(missing[0], part.exports) if len(missing) == 1 else ""
                message = f"{part.name} does not export {listed(missing)}, which slot {slot} gives to others"
                yield Fault(message, path, f"exports: {listed(wanted)}", near)
            for export in part.exports:
                first = next(iter(exporters[export]))
                if first != slot:
                    message = f"{part.name} exports {export!r}, and so does slot {first}"
                    yield Fault(message, path, "an export of one slot only")
            for need, unit in part.needs.items():
                yield from _need_faults(exchange, part, need, unit, path)
    yield from _sum_faults(exchange)


def _sum_faults(exchange: Exchange) -> Iterator[Fault]:
    """Terms that no part gathers or that have another unit than their sum; sums that are exports as well."""
    slots = exchange.model.slots
    gathered = {name: unit for parts in slots.values() for part in parts for name, unit in part.gathers.items()}
    for slot, parts in slots.items():
        for index, part in enumerate(parts):
            path = ("slots", slot, index)
            for name in part.gathers:
                if name in exchange.exporters:
                    message = f"{part.name} gathers {name!r}, which slot {next(iter(exchange.exporters[name]))} exports"
                    yield Fault(message, path, "a name for the sum that no slot exports")
            for term, total in ((name, total) for name, export in part.exports.items() for total in export.adds_to):
                found = exchange.dimension(part, term)
                if total not in gathered:
                    message = f"{part.name} adds {term} to {total!r}, which no part gathers"
                    expected = f"one of {listed(gathered)}" if gathered else "a part that gathers it"
                    yield Fault(message, path, expected, nearest(total, gathered))
                elif total in gathered and found not in (None, parse_unit(gathered[total]).dimension):
                    message = f"{part.name} adds {term} in {found} to {total}, which is gathered in {gathered[total]}"
                    yield Fault(message, path, f"{total} in one unit")


def _need_faults(exchange: Exchange, part: Part, need: str, unit: str, path: Steps) -> Iterator[Fault]:
    if need not in exchange.exporters:
        expected = f"one of {listed(exchange.exporters)}"
        yield Fault(
            f"{part.name} needs {need!r}, which no slot exports", path, expected, nearest(need, exchange.exporters)
        )
    wanted = parse_unit(unit).dimension
    for exporter in exchange.parts_exporting(need):
        found = exchange.dimension(exporter, need)
        if found is not None and found != wanted:
            message = f"{part.name} needs {need} in {unit}, but {exporter.name} exports it in {found}"
            yield Fault(message, path, f"{need} in one unit")


def cycle_faults(model: Model) -> Iterator[Fault]:
    """Algebraic cycles across parts, in each structure that can be built by one choice or by an account."""
    structures: list[tuple[Steps, dict[str, str]]] = [(("slots",), {})]
    for slot, parts in model.slots.items():
        structures += [(("slots", slot, index), {slot: part.name}) for index, part in enumerate(parts)]
    structures += [(("accounts", name), account.choices) for name, account in model.accounts.items()]
    reported: set[str] = set()
    seen: set[tuple[str, ...]] = set()
    for path, choices in structures:
        parts_of = model.parts(choices)
        key = tuple(part.name for part in parts_of.values())
        if key in seen:
            continue
        seen.add(key)
        try:
            compose(model, parts_of)
        except LdnsimError as caught:
            for fault in caught.faults:
                if fault.message not in reported:
                    reported.add(fault.message)
                    yield Fault(fault.message, path, fault.expected, fault.nearest, at_key=True)
