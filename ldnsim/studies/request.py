"""The input of studies: metrics and addresses checked against a scenario, and cells with changes of their own."""

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
from ldnsim.metrics.summary import is_clock, summarize
from ldnsim.scenario.changes import qualified, resolve
from ldnsim.scenario.design import Range
from ldnsim.scenario.uncertainty import PERSON_SLOT
from ldnsim.simulation.simulate import simulate
from ldnsim.sweeps.cells import CELL, Cells

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = [
    "AddressRange",
    "ListedCells",
    "metric_faults",
    "names_of",
    "reasons_of",
    "spans_of",
    "typical",
    "typical_table",
]


@dataclass(frozen=True)
class ListedCells(Cells):
    """Cells with changes of their own."""

    rows: tuple[dict[str, Change], ...] = ()

    def changes(self, cell: int) -> dict[str, Change]:
        return self.rows[cell]

    def coordinates(self) -> dict[str, Any]:
        return {CELL: (CELL, np.arange(len(self)), {"long_name": "Cell of the study"})}


def typical(scenario: Scenario) -> Scenario:
    """The scenario for one typical person, with all values as stated, without a sweep."""
    changes = {address: value for address, value in scenario.changes.items() if not address.startswith("population.")}
    return scenario.model_copy(update={"population": None, "uncertainty": None, "sweep": {}, "changes": changes})


def typical_table(scenario: Scenario) -> xr.Dataset:
    """Metrics (account, arm) of the typical person."""
    return summarize(simulate(typical(scenario)))


def names_of(given: Any) -> list[str]:
    """One name or several as a list; an empty list for anything else."""
    if isinstance(given, str):
        return [given]
    return [str(name) for name in given] if isinstance(given, Iterable) else []


def metric_faults(table: xr.Dataset, metrics: Sequence[str]) -> list[Fault]:
    """Faults of metrics that do not exist or cannot be averaged; paths start at the request."""
    known = [str(name) for name, data in table.data_vars.items() if "metric" in data.attrs]
    if not metrics:
        return [Fault("no metric is given", ("metrics",), "a list of one or more variables of summarize's table")]
    faults = []
    for name in metrics:
        if name not in known:
            near = nearest(str(name)[:60], known)
            faults.append(Fault(f"no metric is called {name!r}", ("metrics",), "a variable of summarize's table", near))
        elif is_clock(table[name].attrs["metric"]):
            faults.append(Fault(f"{name} is a clock time, which has no order", ("metrics",), "hours, or a level"))
    return faults


@dataclass(frozen=True)
class AddressRange:
    """A range of an address, and the accounts that have it (None: all)."""

    address: str
    range: Range
    accounts: frozenset[str] | None = None


def spans_of(
    scenario: Scenario, given: Sequence[str] | Mapping[str, Any] | None
) -> tuple[list[AddressRange], list[Fault]]:
    """The requested ranges and their faults; see `sensitivity` for what may be `given`."""
    if given is None:
        return _all_declared(scenario), []
    spans: list[AddressRange] = []
    faults: list[Fault] = []
    stated = dict(given) if isinstance(given, Mapping) else dict.fromkeys(names_of(given))
    if not stated:
        faults.append(Fault("no parameter is given", ("parameters",), "addresses, such as ['occupancy.EC50']"))
    settings = resolve(typical(scenario)).settings
    names: dict[str, str] = {}
    for address, ends in stated.items():
        first = names.setdefault(qualified(str(address), settings), str(address))
        if first != address:
            message = f"{first!r} and {address!r} are the same parameter"
            faults.append(Fault(message, ("parameters", str(address)), "each of them once"))
        try:
            spans += _declared(scenario, str(address)) if ends is None else [AddressRange(str(address), _range(ends))]
        except LdnsimError as caught:
            faults += (fault.under("parameters", str(address)) for fault in caught.faults)
    return spans, faults


def reasons_of(table: xr.Dataset) -> dict[str, int]:
    """Reasons of cells without a solution -> how often each occurs, over accounts and arms."""
    status, reason = table["status"].to_numpy(), table["reason"].to_numpy()
    texts, counts = np.unique(reason[status != 0].astype(str), return_counts=True)
    return {str(text): int(count) for text, count in zip(texts, counts, strict=True)}


def _range(ends: Any) -> Range:
    """A Range from `(low, high)`, `(low, high, scale)`, a mapping or a Range."""
    if isinstance(ends, Range):
        return ends
    if isinstance(ends, Mapping):
        checked: dict[str, Any] = dict(ends)
    elif isinstance(ends, Sequence) and not isinstance(ends, str) and len(ends) in (2, 3):
        checked = dict(zip(("from", "to", "scale"), ends, strict=False))
    else:
        raise LdnsimError(
            Fault(f"{ends!r} is not a range", (), "(low, high), (low, high, 'log'), or {from: ..., to: ...}")
        )
    try:
        return Range.model_validate(checked)
    except ValidationError as caught:
        raise LdnsimError(faults_of(caught)) from None


def _declared(scenario: Scenario, address: str) -> list[AddressRange]:
    """The ranges stated by parts, logarithmic if positive; several if accounts have different parts."""
    settings = resolve(typical(scenario)).settings
    name = qualified(address, settings)
    records = {setting.account: setting.parameters[name] for setting in settings if name in setting.parameters}
    if not records:
        known = {known for setting in settings for known in setting.parameters}
        near = nearest(address[:60], [*known, *(known.split(".")[1] for known in known)])
        raise LdnsimError(Fault(f"{address!r} names no parameter", (), "a parameter with a range", near))
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
        spans.append(AddressRange(address, given, None if whole else frozenset(accounts)))
    return spans


def _all_declared(scenario: Scenario) -> list[AddressRange]:
    """Every parameter with a range on which an output depends, except those of the slot `person`."""
    one = typical(scenario)
    names = {name: None for setting in resolve(one).settings for name in setting.parameters}
    found: list[AddressRange] = []
    for name in names:
        try:
            if name.split(".")[0] != PERSON_SLOT and name not in one.changes:
                spans = _declared(one, name)
                one.with_changes({name: spans[0].range.from_})  # type: ignore[dict-item]
                found += spans
        except LdnsimError:  # no range, or no reported output depends on it
            continue
    if not found:
        raise LdnsimError(
            Fault("no parameter behind the outputs states a range", ("parameters",), "addresses with ranges")
        )
    return found
