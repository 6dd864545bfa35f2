"""Blocks into a Zarr v3 directory, one chunk of each variable per block: open it with `xarray.open_zarr` at any time.

A chunk file is written beside its place and then moved there, that of `status` last: where it stands, its block is
done. So nothing is half-written, whatever ends the process, and the directory itself is the journal. Chunks are written
here and not through zarr's own arrays, which takes eight times as long; the format (zstd over little-endian numbers, or
over texts each with its length) is the one that their metadata state.
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
    from ldnsim.sweeps.plan import Plan, Variable

__all__ = ["Store", "encoded"]

IDENTITY = "ldnsim_sweep"  # the attribute that says which sweep a store holds
SUMMARISED = "summarised"  # in it, once people have become quantiles
LAST = "status"
LEVEL = 1  # of zstd: numbers hardly get smaller at more
Chunks = dict[str, bytes]  # path within the store -> content


class Store:
    """A directory that holds a sweep, or will. `shard` says that only some blocks are to come here."""

    def __init__(self, path: Path, plan: Plan, shard: str = "") -> None:
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
        """Chunks of a block, encoded; raises LdnsimError where there is no room for them."""
        del block
        try:
            for name, content in found.items():
                place = self.path / name
                if place.parent not in self._known:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    self._known.add(place.parent)
                beside = place.with_name(f".{place.name}.part")  # the next try writes over it
                beside.write_bytes(content)
                beside.replace(place)
        except OSError as caught:
            message = f"cannot write to {self.path}: {caught.strerror or caught}"
            expected = "room for it; what is written stays, and the same command goes on from there"
            raise LdnsimError(Fault(message, expected=expected)) from None

    def dataset(self) -> xr.Dataset:
        """The sweep as it stands, read when it is used."""
        import xarray as xr

        found: xr.Dataset = xr.open_zarr(self.path, chunks=None)
        return found


def encoded(plan: Plan, block: Block, found: dict[str, np.ndarray]) -> Chunks:
    """A block's arrays as the content of their chunk files, that of the status last."""
    from numcodecs import VLenUTF8, Zstd

    chunks: Chunks = {}
    for name in sorted(found, key=lambda name: name == LAST):
        array, variable = found[name], plan.variables[name]
        texts = variable.kind == "O"
        if texts and not array.astype(bool).any():
            continue  # a chunk that is not there holds what fills it
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


def _chunk_shape(plan: Plan, variable: Variable) -> tuple[int, ...]:
    parts = dict(zip(plan.cells.dims, plan.layout.chunk, strict=True)) | {"subject": plan.layout.stretch}
    return tuple(parts.get(dim, plan.sizes[dim]) for dim in variable.dims)


def _chunk_path(plan: Plan, name: str, block: Block) -> str:
    places = dict(zip((*plan.cells.dims, "subject"), block.place, strict=True))
    return "/".join([name, "c", *(str(places.get(dim, 0)) for dim in plan.variables[name].dims)])


def _check_same(path: Path, identity: dict[str, Any]) -> bool:
    """Whether the store of this very sweep holds quantiles already; raises LdnsimError for any other."""
    expected = "the store of this sweep, or a path where there is nothing yet"
    if not path.is_dir():
        raise LdnsimError(Fault(f"{path} is a file", expected=expected))
    try:
        attributes = json.loads((path / "zarr.json").read_text(encoding="utf-8"))["attributes"]
        found = json.loads(attributes[IDENTITY])
    except (OSError, ValueError, KeyError, TypeError):
        raise LdnsimError(Fault(f"{path} is no store of a sweep", expected=expected)) from None
    summarised = bool(found.pop(SUMMARISED, False))
    differing = [key for key in {**identity, **found} if identity.get(key) != found.get(key)]
    if differing:
        raise LdnsimError(
            Fault(
                f"{path} holds another sweep: other {key}{_both(found.get(key), identity.get(key))}", expected=expected
            )
            for key in differing
        )
    return summarised


def _both(there: Any, asked: Any) -> str:
    """What is there and what is asked for, where people can read it."""
    texts = [str(value) for value in (there, asked)]
    short = all(len(text) <= 60 for text in texts) and not any(len(text) in (16, 64) for text in texts)
    return f" ({texts[0]} there, {texts[1]} asked for)" if short else ""


def _create(path: Path, plan: Plan, identity: dict[str, Any]) -> None:
    """The store without any chunk: coordinates, and what each variable is. It appears whole or not at all."""
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
            warnings.simplefilter("ignore")  # one file for all metadata is no part of Zarr v3 yet; readers look for it
            zarr.consolidate_metadata(beside)
        beside.rename(path)
    except OSError as caught:
        message = f"cannot write to {path}: {caught.strerror or caught}"
        raise LdnsimError(Fault(message, expected="a folder with room")) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
