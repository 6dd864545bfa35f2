"""The population of a scenario held against its model: whose addresses, in which units, and what can be together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown
from ldnsim.foundation.units import DIMENSIONLESS, coherent, drug_dimension, parse_quantity, parse_unit
from ldnsim.model.settings import Setting, qualified
from ldnsim.model.system import molar_mass
from ldnsim.model.variability import NotTogether, Spread, mixing, varied

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ldnsim.foundation.fields import Change
    from ldnsim.foundation.units import Quantity
    from ldnsim.model.records import Model, Parameter
    from ldnsim.scenario.population import PeopleTable, Population

__all__ = ["resolve_population", "spread_faults"]

TOLERANCE = 1e-9
FAR = 4.0  # standard deviations that a distribution without range must stay positive for

Path = tuple[str | int, ...]


def resolve_population(
    model: Model,
    population: Population,
    settings: Sequence[Setting],
    changes: Mapping[str, Change],
) -> tuple[Population, list[Fault]]:
    """The population with qualified addresses, and all that is wrong with it; paths start at the scenario."""
    checked = _Checked(model, population, settings)
    faults: list[Fault] = []
    for address, spread in population.covariates.items():
        faults += checked.covariate(address, spread)
    if population.table is not None:
        faults += checked.table(population.table)
    faults += checked.correlations()
    faults += checked.changed(changes)
    faults += checked.unfit(changes)
    return checked.qualified(), faults


class _Checked:
    def __init__(self, model: Model, population: Population, settings: Sequence[Setting]) -> None:
        self.model, self.population, self.settings = model, population, settings
        self.known: dict[str, list[Parameter]] = {}  # accounts may know a parameter by different records
        for setting in settings:
            for name, record in setting.parameters.items():
                self.known.setdefault(name, []).append(record)
        self.given: dict[str, str] = {}  # qualified -> as written

    def full(self, address: str) -> str:
        return qualified(address, self.settings)

    def qualified(self) -> Population:
        population, table = self.population, self.population.table
        columns = tuple(c.model_copy(update={"address": self.full(c.address)}) for c in table.columns) if table else ()
        return population.model_copy(
            update={
                "covariates": {self.full(address): spread for address, spread in population.covariates.items()},
                "correlations": tuple(
                    one.model_copy(update={"between": tuple(map(self.full, one.between))})
                    for one in population.correlations
                ),
                "table": table.model_copy(update={"columns": columns}) if table else None,
            }
        )

    def miss(self, address: str, path: Path, lead: str = "", *, at_key: bool = True) -> Fault | None:
        """Why an address is that of no parameter; or None."""
        same = [name for name in self.known if name.split(".")[1] == address]
        if len(same) > 1:
            which = " or ".join(same)
            return Fault(f"{lead}{address!r} is a parameter of several slots", path, which, at_key=at_key)
        if self.full(address) in self.known:
            return None
        near = nearest(address, [*self.known, *(name.split(".")[1] for name in self.known)])
        expected = "a parameter of the accounts compared (slot.parameter)"
        return Fault(f"{lead}{shown(address)} names no parameter", path, expected, near, at_key=at_key)

    def covariate(self, address: str, spread: Spread) -> Iterator[Fault]:
        path = ("population", "covariates", address)
        fault = self.miss(address, path) or self.twice(address, path)
        if fault:
            yield fault
            return
        records = self.known[self.full(address)]
        found = [fault for one in records for fault in spread_faults(spread, one, molar_mass(self.model, one.of))]
        yield from (fault.under(*path) for fault in found)

    def twice(self, address: str, path: Path) -> Fault | None:
        before = self.given.setdefault(self.full(address), address)
        if before is address:
            return None
        return Fault(f"{before!r} and {address!r} are the same parameter", path, "each of them once", at_key=True)

    def table(self, table: PeopleTable) -> Iterator[Fault]:
        path = ("population", "table")
        for column in table.columns:
            lead = f"{table.file}: column "
            fault = self.miss(column.address, path, lead, at_key=False)
            if fault:
                yield fault
                continue
            if self.given.setdefault(self.full(column.address), column.address) is not column.address:
                yield Fault(f"{lead}{column.address!r} is given twice", path, "once: here or in covariates")
            for record in self.known[self.full(column.address)]:
                if drug_dimension(parse_unit(column.unit).dimension, record.of is not None) != record.dimension:
                    expected = f"{column.address} [{record.value.unit}]"
                    yield Fault(f"{lead}{column.address!r} is in {column.unit}", path, expected)
                elif record.range is not None and record.range[0].value >= 0:
                    row = next((row for row, value in enumerate(column.values, start=1) if value < 0), None)
                    if row is not None:
                        yield Fault(f"{lead}{column.address!r} is negative for person {row}", path, "0 or more")

    def drawn(self, address: str) -> bool:
        name = self.full(address)
        varies = any(record.iiv_cv is not None for record in self.known[name])
        return name in map(self.full, self.population.covariates) or (varies and not self.tabled(name))

    def tabled(self, name: str) -> bool:
        table = self.population.table
        return table is not None and name in {self.full(column.address) for column in table.columns}

    def correlations(self) -> Iterator[Fault]:
        seen: set[frozenset[str]] = set()
        clean = True
        for index, one in enumerate(self.population.correlations):
            path = ("population", "correlations", index)
            for which, address in enumerate(one.between):
                fault = self.miss(address, (*path, "between", which), at_key=False)
                if fault is None and not self.drawn(address):
                    tabled = self.tabled(self.full(address))
                    message = f"{address} {'comes from the table' if tabled else 'is the same in everybody'}"
                    expected = "a parameter with iiv_cv, or one of the covariates"
                    fault = Fault(message, (*path, "between", which), expected)
                if fault:
                    clean = False
                    yield fault
            pair = frozenset(map(self.full, one.between))
            if len(pair) == 1:
                yield Fault("a correlation of something with itself", (*path, "between"), "two parameters")
            elif pair in seen:
                yield Fault("this correlation stands here twice", (*path, "between"), "each pair once")
            clean = clean and len(pair) == 2 and pair not in seen
            seen.add(pair)
        if clean:
            yield from self.together()

    def together(self) -> Iterator[Fault]:
        pairs = [frozenset(map(self.full, one.between)) for one in self.population.correlations]
        for setting in self.settings:
            try:
                mixing(setting.correlations(self.qualified().correlations))
            except NotTogether as caught:
                pair = frozenset(caught.pair)
                path: Path = ("population", *(("correlations", pairs.index(pair)) if pair in pairs else ()))
                message = f"the correlation of {' and '.join(caught.pair)} cannot be together with the others"
                yield Fault(message, path, "a positive definite matrix: smaller correlations")
                return

    def changed(self, changes: Mapping[str, Change]) -> Iterator[Fault]:
        """Changes of what the population draws or reads: they would move nothing."""
        for address in changes:
            if self.full(address) in self.given:
                message = f"{address} moves nothing: the population says what it is"
                yield Fault(message, ("changes", address), "a parameter that it does not give", at_key=True)

    def unfit(self, changes: Mapping[str, Change]) -> Iterator[Fault]:
        """Typical values that cannot vary as their part says: a share beyond 1."""
        written = {self.full(address): address for address in changes}
        for setting in self.settings:
            for name, record in setting.parameters.items():
                for cv in (record.iiv_cv, record.iov_cv):
                    if record.distribution != "logit_normal" or cv is None or name in self.given:
                        continue
                    try:
                        varied(record.distribution, 0.5, coherent(cv), coherent(setting.values[name]), np.zeros(0))
                    except LdnsimError as caught:
                        path = ("changes", written[name]) if name in written else ("population",)
                        yield from (Fault(f"{name}: {f.message}", path, f.expected) for f in caught.faults)


def spread_faults(spread: Spread, record: Parameter, mass: float | None) -> Iterator[Fault]:
    """What is wrong with a distribution for a parameter; paths start at the distribution."""
    kinds = spread.kinds
    if len(kinds) != 1:
        message = f"{listed(kinds)} at once" if kinds else "no distribution"
        yield Fault(message, (), "one of normal, log_normal, uniform, share, shares", at_key=True)
        return
    kind, of_drug = kinds[0], record.of is not None
    quantities: list[tuple[Path, Quantity]] = []
    if kind in ("normal", "uniform", "log_normal"):
        first, second = getattr(spread, kind)
        quantities = [((kind, 0), first), *([((kind, 1), second)] if kind != "log_normal" else [])]
        if kind == "log_normal" and (second.dimension != DIMENSIONLESS or second.value < 0):
            yield Fault(f"{second} is not a coefficient of variation", (kind, 1), "[median, CV], such as [75 kg, 20 %]")
            return
    elif kind == "shares":
        try:
            quantities = [((kind, text), parse_quantity(text)) for text in spread.shares]
        except LdnsimError as caught:
            yield from (Fault(f.message, (kind,), f.expected) for f in caught.faults)
            return
        total = math.fsum(coherent(share) for share in spread.shares.values())
        if abs(total - 1) > TOLERANCE:
            yield Fault(f"the shares add up to {total:.6g} of all people", (kind,), "100 % in all", at_key=True)
    elif record.dimension != DIMENSIONLESS:
        yield Fault("a share of people is for a parameter that is 0 or 1", (kind,), "normal, log_normal or uniform")
        return
    if spread.range is not None:
        quantities += [(("range", index), end) for index, end in enumerate(spread.range)]
    unlike = [(path, q) for path, q in quantities if drug_dimension(q.dimension, of_drug) != record.dimension]
    for path, quantity in unlike:
        yield Fault(f"{quantity} has another unit than the parameter", path, f"a value in {record.value.unit}")
    if not unlike:
        yield from _shape_faults(spread, kind, record, mass)


def _shape_faults(spread: Spread, kind: str, record: Parameter, mass: float | None) -> Iterator[Fault]:
    if kind in ("share", "shares", "uniform") and spread.range is not None:
        yield Fault(f"{kind} needs no range", ("range",), "a range for normal or log_normal", at_key=True)
        return
    if kind in ("share", "shares"):
        return
    first, second = getattr(spread, kind)
    one = coherent(first, mass)
    other = coherent(second, mass if kind != "log_normal" else None)
    if kind == "uniform" and one >= other:
        yield Fault("the distribution begins above its end", (kind,), f"[{second}, {first}]")
    if kind == "normal" and other < 0:
        yield Fault(f"{second} is not a standard deviation", (kind, 1), "0 or more")
    if kind == "log_normal" and one <= 0:
        yield Fault(f"{first} is not a median of positive values", (kind, 0), "more than 0")
    if spread.range is not None:
        low, high = (coherent(end, mass) for end in spread.range)
        if low >= high:
            yield Fault("the range begins above its end", ("range",), f"[{spread.range[1]}, {spread.range[0]}]")
        elif not low <= one <= high:
            yield Fault(f"the range excludes {first}", ("range",), f"a range that holds {first}")
    elif kind == "normal" and one - FAR * other < 0 <= (record.range[0].value if record.range else -1):
        yield Fault("the distribution reaches below 0", (kind,), "range: [lowest, highest], or log_normal")
    elif kind == "uniform" and one < 0 <= (record.range[0].value if record.range else -1):
        yield Fault("the distribution reaches below 0", (kind,), "0 or more")
