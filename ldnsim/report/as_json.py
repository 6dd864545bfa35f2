"""Answers as JSON for other programs: numbers with units and tags, and a reason for each missing number."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.metrics.attributes import evidence_of, texts_of
from ldnsim.metrics.summary import over_people
from ldnsim.simulation.result import stated

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    import xarray as xr

__all__ = ["metric_records", "run_record", "sweep_record", "table_record", "to_json"]

QUANTILES = (0.05, 0.5, 0.95)
COPIED = ("scenario", "model", "model_hash", "seed", "package_version", "solver", "rtol", "start", "disclaimer")


def to_json(record: Mapping[str, Any]) -> str:
    """Write a record as JSON.

    Parameters
    ----------
    record : mapping
        Values may be numpy scalars and arrays.

    Returns
    -------
    str
        JSON text; numbers that are not finite are null.
    """
    return json.dumps(_plain(record), indent=1, ensure_ascii=False, allow_nan=False)


def run_record(
    result: xr.Dataset, table: xr.Dataset, answers: Sequence[str], written: Iterable[Path]
) -> dict[str, Any]:
    """Collect question, answers, metrics, notes and files of a run.

    Parameters
    ----------
    result : xarray.Dataset
        As returned by `simulate`.
    table : xarray.Dataset
        Its metrics, as returned by `summarize`.
    answers : sequence of str
        As returned by `answers`.
    written : iterable of Path
        Files that were written.

    Returns
    -------
    dict
        What `ldnsim run --json` prints.
    """
    attrs = result.attrs
    return {
        "question": attrs["question"],
        "answers": list(answers),
        "window_hours": np.ravel(table.attrs["window"]),
        "changes": json.loads(attrs.get("changes", "{}")),
        "metrics": metric_records(table),
        "failed": int((result["status"] != 0).sum()),
        "extrapolated": texts_of(attrs.get("extrapolated", [])),
        "notes": texts_of(attrs.get("notes", [])),
        "cannot_say": attrs.get("cannot_say", ""),
        "files": [str(path) for path in written],
        **{name: attrs[name] for name in COPIED if name in attrs},
    }


def sweep_record(table: xr.Dataset, failures: Mapping[str, int], written: Iterable[Path]) -> dict[str, Any]:
    """Collect dimensions, metrics, failures and files of a sweep.

    Parameters
    ----------
    table : xarray.Dataset
        As returned by `sweep`.
    failures : mapping of str to int
        Reason -> number of failed cells.
    written : iterable of Path
        Files that were written.

    Returns
    -------
    dict
        What `ldnsim sweep --json` prints.
    """
    return {
        "question": table.attrs.get("question", ""),
        "dimensions": {str(name): int(size) for name, size in table.sizes.items()},
        "metrics": sorted(str(name) for name, data in table.data_vars.items() if "metric" in data.attrs),
        "failed": sum(failures.values()),
        "failures": dict(failures),
        "notes": texts_of(table.attrs.get("notes", [])),
        "files": [str(path) for path in written],
        **{name: table.attrs[name] for name in COPIED if name in table.attrs},
    }


def table_record(frame: pd.DataFrame, **about: Any) -> dict[str, Any]:
    """Collect the rows of a data frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table. Labels that are texts become the key `name` of each row.
    **about
        Further entries of the record.

    Returns
    -------
    dict
        `rows`, a list of mappings by column, and the further entries.
    """
    rows = frame.to_dict("records")
    if frame.index.dtype == object:
        rows = [{"name": name, **row} for name, row in zip(frame.index, rows, strict=True)]
    return {**about, "rows": rows}


def metric_records(table: xr.Dataset) -> list[dict[str, Any]]:
    """A record per output, metric, account and arm: the value (for a population the median, with the 5 and 95 %
    quantiles), unit, evidence tag, and the reason if there is no value."""
    table = stated(table)
    people = over_people(table, QUANTILES) if "subject" in table.dims else None
    found = []
    for name, data in table.data_vars.items():
        if "metric" not in data.attrs:
            continue
        for account in map(str, table["account"].values):
            for arm in map(str, table["arm"].values):
                here = {"account": account, "arm": arm}
                record: dict[str, Any] = {
                    "output": data.attrs["output"],
                    "metric": data.attrs["metric"],
                    **here,
                    "unit": data.attrs.get("units", "1"),
                    "evidence": evidence_of(data, account),
                }
                if people is None:
                    record["value"] = float(data.sel(here))
                else:
                    low, record["value"], high = people[name].sel(here).to_numpy().tolist()
                    record |= {"people_5_percent": low, "people_95_percent": high}
                record["reason"] = _reason(table, str(name), here) if math.isnan(record["value"]) else ""
                found.append(record)
    return found


def _reason(table: xr.Dataset, name: str, here: Mapping[str, str]) -> str:
    """Why there is no value; for a population the most common reason."""
    for source in (f"{name}_reason", "reason"):
        if source in table and (texts := [text for text in np.ravel(table[source].sel(here)).tolist() if text]):
            return str(Counter(texts).most_common(1)[0][0])
    return ""


def _plain(value: Any) -> Any:
    """The value in JSON types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(each) for each in np.asarray(value, dtype=object).reshape(-1).tolist()]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
