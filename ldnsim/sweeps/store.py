"""Blocks into a Zarr v3 directory, one chunk of each variable per block; `xarray.open_zarr` opens it at any time.

A chunk file is written next to its final path and then moved there, the chunk of `status` last: if that exists, its
block is done. So nothing is half-written, however the process ends, and no other journal is needed.

xarray and zarr make the store, its coordinates and metadata, and read it. Chunks are written here, in the format that
the metadata state (zstd of little-endian numbers, or of strings with their lengths): `benchmarks/stores.py` measures
5 to 7 times as long through zarr's arrays and 6 to 14 times through xarray's `to_zarr(region=...)`, which would make a
sweep a third to two thirds slower.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.errors import Fault, LdnsimError

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

    from ldnsim.sweeps.layout import Block
    from ldnsim.sweeps.plan import ResultVariable, SweepPlan

__all__ = ["Store", "encoded"]

IDENTITY = "ldnsim_sweep"  # the attribute that identifies the sweep of a store
SUMMARISED = "summarised"  # key in it, once the store has quantiles over people
LAST = "status"
LEVEL = 1  # of zstd; higher levels hardly compress numbers further
Chunks = dict[str, bytes]  # path within the store -> content


class Store:
    """The directory of a sweep, made if it does not exist. `shard` marks a store of some blocks only."""

    def __init__(self, path: Path, plan: SweepPlan, shard: str = "") -> None:
        _need_zarr()
        self.path, self.plan = path, plan
        identity = plan.identity | ({"shard": shard} if shard else {})
        self.summarised = False
        if path.exists():
            self.summarised = _check_same(path, identity)
        else:
            _create(path, plan, identity)
        self._known: set[Path] = set()

    @property
    def done(self) -> set[int]:
        """Blocks that are written."""
        if self.summarised:
            return set(range(len(self.plan.layout)))
        folder = self.path / LAST
        places = (
            _chunk_path(self.plan, LAST, self.plan.layout.block(number)) for number in range(len(self.plan.layout))
        )
        return (
            {number for number, place in enumerate(places) if (self.path / place).exists()}
            if folder.exists()
            else set()
        )

    def write(self, block: Block, found: Chunks) -> None:
        """Write the encoded chunks of a block; raises LdnsimError if the disk is full."""
        del block
        try:
            for name, content in found.items():
                place = self.path / name
                if place.parent not in self._known:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    self._known.add(place.parent)
                beside = place.with_name(f".{place.name}.part")  # overwritten by the next attempt
                beside.write_bytes(content)
                beside.replace(place)
        except OSError as caught:
            message = f"cannot write to {self.path}: {caught.strerror or caught}"
            expected = "free disk space; finished blocks are kept, and the same command continues from there"
            raise LdnsimError(Fault(message, expected=expected)) from None

    def dataset(self) -> xr.Dataset:
        """The sweep so far, read on demand."""
        import xarray as xr

        found: xr.Dataset = xr.open_zarr(self.path, chunks=None)
        return found


def encoded(plan: SweepPlan, block: Block, found: dict[str, np.ndarray]) -> Chunks:
    """The arrays of a block as the content of chunk files, with the status last."""
    from numcodecs import VLenUTF8, Zstd

    chunks: Chunks = {}
    for name in sorted(found, key=lambda name: name == LAST):
        array, variable = found[name], plan.variables[name]
        texts = variable.kind == "O"
        if texts and not array.astype(bool).any():
            continue  # a missing chunk reads as the fill value
        whole = np.full(_chunk_shape(plan, variable), variable.fill, variable.kind)
        whole[tuple(slice(length) for length in array.shape)] = array
        plain = VLenUTF8().encode(whole.reshape(-1)) if texts else whole.astype(f"<{variable.kind}").tobytes()
        chunks[_chunk_path(plan, name, block)] = bytes(Zstd(level=LEVEL).encode(plain))
    return chunks


def _need_zarr() -> None:
    try:
        import zarr  # noqa: F401
    except ImportError:
        raise LdnsimError(Fault("zarr is not installed", expected="pip install 'ldnsim[tables]'")) from None


def _chunk_shape(plan: SweepPlan, variable: ResultVariable) -> tuple[int, ...]:
    parts = dict(zip(plan.cells.dims, plan.layout.chunk, strict=True)) | {"subject": plan.layout.stretch}
    return tuple(parts.get(dim, plan.sizes[dim]) for dim in variable.dims)


def _chunk_path(plan: SweepPlan, name: str, block: Block) -> str:
    places = dict(zip((*plan.cells.dims, "subject"), block.place, strict=True))
    return "/".join([name, "c", *(str(places.get(dim, 0)) for dim in plan.variables[name].dims)])


def _check_same(path: Path, identity: dict[str, Any]) -> bool:
    """Whether the store of this sweep already has quantiles; raises LdnsimError for the store of a different sweep."""
    expected = "the store of this sweep, or a path that does not exist yet"
    if not path.is_dir():
        raise LdnsimError(Fault(f"{path} is a file", expected=expected))
    try:
        attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        found = json.loads(attributes[IDENTITY])
    except (OSError, ValueError, KeyError, TypeError):
        raise LdnsimError(Fault(f"{path} is not the store of a sweep", expected=expected)) from None
    summarised = bool(found.pop(SUMMARISED, False))
    differing = [key for key in {**identity, **found} if identity.get(key) != found.get(key)]
    if differing:
        raise LdnsimError(
            Fault(
                f"{path} holds a different sweep: not the same {key}{_both(found.get(key), identity.get(key))}",
                expected=expected,
            )
            for key in differing
        )
    return summarised


def _both(there: Any, asked: Any) -> str:
    """Both values, if they are legible."""
    texts = [str(value) for value in (there, asked)]
    short = all(len(text) <= 60 for text in texts) and not any(len(text) in (16, 64) for text in texts)
    return f" ({texts[0]} in the store, {texts[1]} requested)" if short else ""


def _create(path: Path, plan: SweepPlan, identity: dict[str, Any]) -> None:
    """Make the store without chunks: coordinates and metadata of variables. It appears whole or not at all."""
    import xarray as xr
    import zarr
    from zarr.codecs import ZstdCodec

    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    attrs = {**plan.attrs, IDENTITY: json.dumps(identity)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        xr.Dataset(coords=plan.coords, attrs=attrs).to_zarr(beside, zarr_format=3, consolidated=False)
        group = zarr.open_group(beside, mode="r+")
        for name, variable in plan.variables.items():
            group.create_array(
                name,
                shape=plan.shape(name),
                chunks=_chunk_shape(plan, variable),
                dtype="string" if variable.kind == "O" else variable.kind,
                fill_value=variable.fill,
                compressors=ZstdCodec(level=LEVEL),
                attributes=variable.attrs,
                dimension_names=variable.dims,
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # consolidated metadata are not part of Zarr v3 yet, but readers use them
            zarr.consolidate_metadata(beside)
        beside.rename(path)
    except OSError as caught:
        message = f"cannot write to {path}: {caught.strerror or caught}"
        raise LdnsimError(Fault(message, expected="a writable folder with free space")) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
