"""What studies are asked: metrics and addresses held against a scenario, and cells that each say what they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.foundation.fields import Change
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.foundation.units import parse_quantity
from ldnsim.metrics.summary import CLOCK, summarize
from ldnsim.scenario.changes import qualified, resolve
from ldnsim.scenario.design import Range
from ldnsim.simulation.simulate import simulate
from ldnsim.sweeps.cells import CELL, Cells

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["Rows", "Span", "metric_faults", "names_of", "reasons_of", "spans_of", "typical", "typical_table"]

WHO = "person"  # the slot of the model that says who takes the drug: what people differ in, and no uncertainty


@dataclass(frozen=True)
class Rows(Cells):
    """Cells that each say what they change, whatever the others do."""

    rows: tuple[dict[str, Change], ...] = ()

    def changes(self, cell: int) -> dict[str, Change]:
        return self.rows[cell]

    def coordinates(self) -> dict[str, Any]:
        return {CELL: (CELL, np.arange(len(self)), {"long_name": "Cell of the study"})}


def typical(scenario: Scenario) -> Scenario:
    """The scenario of one typical person, with all values as stated, and no sweep."""
    changes = {address: value for address, value in scenario.changes.items() if not address.startswith("population.")}
    return scenario.model_copy(update={"population": None, "uncertainty": None, "sweep": {}, "changes": changes})


def typical_table(scenario: Scenario) -> xr.Dataset:
    """Metrics (account, arm) of the typical person."""
    return summarize(simulate(typical(scenario)))


def names_of(given: Any) -> list[str]:
    """One name or several, as a list; nothing for what is none."""
    if isinstance(given, str):
        return [given]
    return [str(name) for name in given] if isinstance(given, Iterable) else []


def metric_faults(table: xr.Dataset, metrics: Sequence[str]) -> list[Fault]:
    """Why metrics cannot be averaged or compared; paths start at the question."""
    known = [str(name) for name, data in table.data_vars.items() if "metric" in data.attrs]
    if not metrics:
        return [Fault("no metric is asked for", ("metrics",), "one or more of summarize's table, as a list")]
    faults = []
    for name in metrics:
        if name not in known:
            near = nearest(str(name)[:60], known)
            faults.append(Fault(f"no metric is called {name!r}", ("metrics",), "a variable of summarize's table", near))
        elif table[name].attrs["metric"] in CLOCK:
            faults.append(
                Fault(f"{name} is a clock time, which has neither more nor less", ("metrics",), "hours, or a level")
            )
    return faults


@dataclass(frozen=True)
class Span:
    """A range of an address, and the accounts that it is that of (None: all that are compared)."""

    address: str
    range: Range
    accounts: frozenset[str] | None = None


def spans_of(scenario: Scenario, given: Sequence[str] | Mapping[str, Any] | None) -> tuple[list[Span], list[Fault]]:
    """The ranges asked for, and all that is wrong with them alone; see `sensitivity` for what may be `given`."""
    if given is None:
        return _all_declared(scenario), []
    spans: list[Span] = []
    faults: list[Fault] = []
    stated = dict(given) if isinstance(given, Mapping) else dict.fromkeys(names_of(given))
    if not stated:
        faults.append(Fault("no parameter is named", ("parameters",), "addresses, such as ['occupancy.EC50']"))
    settings = resolve(typical(scenario)).settings
    told: dict[str, str] = {}
    for address, ends in stated.items():
        first = told.setdefault(qualified(str(address), settings), str(address))
        if first != address:
            message = f"{first!r} and {address!r} are the same parameter"
            faults.append(Fault(message, ("parameters", str(address)), "each of them once"))
        try:
            spans += _declared(scenario, str(address)) if ends is None else [Span(str(address), _range(ends))]
        except LdnsimError as caught:
            faults += (fault.under("parameters", str(address)) for fault in caught.faults)
    return spans, faults


def reasons_of(table: xr.Dataset) -> dict[str, int]:
    """Why cells have no solution -> how many accounts and arms of cells that is true of."""
    status, reason = table["status"].to_numpy(), table["reason"].to_numpy()
    texts, counts = np.unique(reason[status != 0].astype(str), return_counts=True)
    return {str(text): int(count) for text, count in zip(texts, counts, strict=True)}


def _range(ends: Any) -> Range:
    """`(low, high)`, `(low, high, scale)`, a mapping or a Range."""
    if isinstance(ends, Range):
        return ends
    if isinstance(ends, Mapping):
        asked: dict[str, Any] = dict(ends)
    elif isinstance(ends, Sequence) and not isinstance(ends, str) and len(ends) in (2, 3):
        asked = dict(zip(("from", "to", "scale"), ends, strict=False))
    else:
        raise LdnsimError(
            Fault(f"{ends!r} is no range", (), "(low, high), (low, high, 'log'), or {from: ..., to: ...}")
        )
    try:
        return Range.model_validate(asked)
    except ValidationError as caught:
        raise LdnsimError(faults_of(caught)) from None


def _declared(scenario: Scenario, address: str) -> list[Span]:
    """The ranges that parts state, evenly on the logarithm where positive; several where accounts have other parts."""
    settings = resolve(typical(scenario)).settings
    name = qualified(address, settings)
    records = {setting.account: setting.parameters[name] for setting in settings if name in setting.parameters}
    if not records:
        known = {known for setting in settings for known in setting.parameters}
        near = nearest(address[:60], [*known, *(known.split(".")[1] for known in known)])
        raise LdnsimError(
            Fault(f"{address!r} names no parameter", (), "one that states a range, or a range here", near)
        )
    by_ends: dict[tuple[str, str], list[str]] = {}
    for account, record in records.items():
        if record.range is not None and record.range[0] != record.range[1]:
            by_ends.setdefault((str(record.range[0]), str(record.range[1])), []).append(account)
    if not by_ends:
        raise LdnsimError(Fault(f"{address} states no range", (), f"a range here: {{{address!r}: (low, high)}}"))
    spans = []
    for (low, high), accounts in by_ends.items():
        scale = "log" if parse_quantity(low).value > 0 else "linear"
        whole = len(accounts) == len(records)
        given = Range.model_validate({"from": low, "to": high, "scale": scale})
        spans.append(Span(address, given, None if whole else frozenset(accounts)))
    return spans


def _all_declared(scenario: Scenario) -> list[Span]:
    """Every parameter with a range that moves something; not those of the slot `person`."""
    one = typical(scenario)
    names = {name: None for setting in resolve(one).settings for name in setting.parameters}
    found: list[Span] = []
    for name in names:
        try:
            if name.split(".")[0] != WHO and name not in one.changes:
                spans = _declared(one, name)
                one.with_changes({name: spans[0].range.from_})  # type: ignore[dict-item]
                found += spans
        except LdnsimError:  # no range, or nothing reported rests on it
            continue
    if not found:
        raise LdnsimError(
            Fault("no parameter behind the outputs states a range", ("parameters",), "ranges of your own")
        )
    return found
