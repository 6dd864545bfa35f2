"""python tests/same_numbers.py A B: exit 1 unless both files hold the same bits.

For netCDF files, Zarr stores, JSON, CSV and other text. `tests/compare_checkouts.py` compares whole checkouts with it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

# The name of what may differ -> why. Paths, dates and timings are not among them: no file holds any.
VARYING = {
    "@package_version": "the version may have been raised in between",
    "@ldnsim_sweep.version of ldnsim": "the same version, in what a store says of its sweep",
    "notes.package_version": "the same version, beside a sweep's CSV",
    "notes.ldnsim_sweep.version of ldnsim": "the same version, beside a sweep's CSV",
    "provenance.package_version": "the same version, in the JSON of a fit",
}
SHOWN = 60  # characters of a text that differs


class Difference(NamedTuple):
    """What differs: a variable, an attribute (`@notes`, `Cp@units`), a key of JSON (`a.b`), a column of a table."""

    name: str
    what: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


def differences(first: Path, second: Path) -> list[Difference]:
    """What differs between two files of one kind, but for what may vary (VARYING); the first is what was before."""
    compare = {".nc": _stores, ".zarr": _stores, ".json": _json, ".csv": _tables}.get(first.suffix, _texts)
    return [difference for difference in compare(first, second) if difference.name not in VARYING]


# --- netCDF and Zarr


def _stores(first: Path, second: Path) -> Iterator[Difference]:
    with _opened(first) as a, _opened(second) as b:
        yield from _attributes("", a.attrs, b.attrs)
        yield from _missing(a.variables, b.variables)
        for name in sorted(map(str, a.variables.keys() & b.variables.keys())):
            one, other = a.variables[name], b.variables[name]
            if one.dims != other.dims:
                yield Difference(name, f"dimensions {one.dims} -> {other.dims}")
            elif what := _arrays(one.values, other.values):
                yield Difference(name, what)
            yield from _attributes(name, one.attrs, other.attrs)
        if a.coords.keys() != b.coords.keys():  # of a netCDF file an attribute says so, and was compared
            yield Difference("@coordinates", _two(str(sorted(a.coords)), str(sorted(b.coords))))


def _opened(path: Path) -> xr.Dataset:
    """As it is stored: what xarray would make of fill values and units is not what was written."""
    if path.suffix == ".zarr":
        return xr.open_zarr(path, decode_cf=False, chunks=None, consolidated=False)
    return xr.open_dataset(path, engine="h5netcdf", decode_cf=False)


def _attributes(owner: str, a: Mapping[Any, Any], b: Mapping[Any, Any]) -> Iterator[Difference]:
    first, second = ({f"{owner}@{name}": value for name, value in x.items()} for x in (a, b))
    yield from _keys(_flat(first), _flat(second))


def _plain(value: Any) -> Any:
    """Without what NumPy makes of it; and what a text that is a JSON object holds, to be compared key by key."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


# --- JSON


def _json(first: Path, second: Path) -> Iterator[Difference]:
    yield from _keys(*(_flat(json.loads(path.read_text(encoding="utf-8"))) for path in (first, second)))


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} -> {"a.b": 1}; lists stay whole."""
    value = _plain(value)
    if not isinstance(value, dict) or (name and not value):
        return {name: value}
    nested = (_flat(inner, f"{name}.{key}" if name else str(key)) for key, inner in value.items())
    return {key: leaf for inner in nested for key, leaf in inner.items()}


def _keys(a: dict[str, Any], b: dict[str, Any]) -> Iterator[Difference]:
    yield from _missing(a, b)
    for name in sorted(a.keys() & b.keys()):
        if repr(a[name]) == repr(b[name]):  # 1 is not 1.0, nor 0.0 -0.0; NaN is NaN
            continue
        one, other = _numbers(a[name]), _numbers(b[name])
        what = "" if one is None or other is None else _arrays(one, other)
        yield Difference(name, what or _two(str(a[name]), str(b[name])))


def _numbers(value: Any) -> np.ndarray | None:
    """A number, or a list of numbers as deep as one likes; None for all else."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        return None
    return array if array.dtype.kind in "iuf" and array.size else None


# --- tables and texts


def _tables(first: Path, second: Path) -> Iterator[Difference]:
    if first.read_bytes() == second.read_bytes():
        return
    found = list(_columns(_rows(first), _rows(second)))
    yield from found or [Difference("bytes", "the same cells, written otherwise (order of columns, quotes, line ends)")]


def _columns(first: list[list[str]], second: list[list[str]]) -> Iterator[Difference]:
    (head, *rows), (other_head, *other_rows) = first, second
    yield from _missing(head, other_head)
    if len(rows) != len(other_rows):
        yield Difference("rows", f"{len(rows)} -> {len(other_rows)}")
        return
    for name in (name for name in head if name in other_head):
        a, b = ([row[at] for row in x] for x, at in ((rows, head.index(name)), (other_rows, other_head.index(name))))
        if a != b:
            yield Difference(name, _cells(a, b))


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [*csv.reader(stream)] or [[]]


def _cells(a: list[str], b: list[str]) -> str:
    """Of two columns that differ: as numbers, where all cells are numbers or empty, else as texts."""
    try:
        one, other = (np.array([float(cell or "nan") for cell in column]) for column in (a, b))
    except ValueError:
        return _arrays(np.array(a, object), np.array(b, object))
    return _arrays(one, other) or _arrays(np.array(a, object), np.array(b, object))


def _texts(first: Path, second: Path) -> Iterator[Difference]:
    if first.read_bytes() == second.read_bytes():
        return
    a, b = (path.read_text(encoding="utf-8").splitlines() for path in (first, second))
    if len(a) != len(b):
        yield Difference("lines", f"{len(a)} -> {len(b)}")
    pairs = [(one, other) for one, other in zip(a, b, strict=False) if one != other]
    if pairs:
        yield Difference("text", f"{len(pairs)} of {len(a)} lines; first {_two(*pairs[0])}")
    elif len(a) == len(b):
        yield Difference("bytes", "the same lines, written otherwise")


# --- what they share


def _missing(a: Mapping[Any, Any] | list[str], b: Mapping[Any, Any] | list[str]) -> Iterator[Difference]:
    yield from (Difference(str(name), "is gone") for name in a if name not in b)
    yield from (Difference(str(name), "is new") for name in b if name not in a)


def _arrays(a: np.ndarray, b: np.ndarray) -> str:
    """How two arrays differ; "" where they hold the same bits. All NaN are one."""
    if a.shape != b.shape:
        return f"shape {a.shape} -> {b.shape}"
    types = f"{a.dtype} -> {b.dtype}, " if a.dtype != b.dtype else ""
    if a.dtype.kind in "iuf" and b.dtype.kind in "iuf":
        values = _values(a, b)
    else:
        differ = np.asarray(a.astype(object) != b.astype(object), bool)
        pairs = zip(a[differ], b[differ], strict=True)
        values = f"{differ.sum()} of {a.size} values; first {_two(*map(str, next(pairs)))}" if differ.any() else ""
    return f"{types}{values or 'equal values'}" if types or values else ""


def _values(a: np.ndarray, b: np.ndarray) -> str:
    nan, other_nan = np.isnan(a), np.isnan(b)
    same = ((a == b) & (np.signbit(a) == np.signbit(b))) | (nan & other_nan)
    if same.all():
        return ""
    text = f"{np.count_nonzero(~same)} of {a.size} values"
    if alone := np.count_nonzero(nan != other_nan):
        text += f", {alone} of them NaN on one side only"
    with np.errstate(all="ignore"):
        one, other = (x[~(same | nan | other_nan)].astype(float) for x in (a, b))
        if not one.size:
            return text
        absolute = np.where(one == other, 0.0, np.abs(other - one))  # the sign of a zero, or of an infinity
        relative = (absolute / np.abs(one))[one != 0]
    text += f", largest absolute difference {absolute.max():.3g}"
    return text + (f", relative {relative.max():.3g}" if relative.size else ", relative: all were 0")


def _two(a: str, b: str) -> str:
    """Both texts, shortened to where they begin to differ."""
    at = next((n for n, (one, other) in enumerate(zip(a, b, strict=False)) if one != other), min(len(a), len(b)))
    start = max(0, at - SHOWN // 3)
    parts = ("…" * (start > 0) + x[start : start + SHOWN] + "…" * (len(x) > start + SHOWN) for x in (a, b))
    return " -> ".join(map(repr, parts))


def main(first: str, second: str) -> int:
    found = differences(Path(first), Path(second))
    print(f"{first} and {second}: " + ("differ" if found else "the same bits"))
    for difference in found:
        print(f"    {difference}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
