"""A sweep in shards, for job arrays without a scheduler.

Shard 3 of 16 computes every sixteenth block into a store of its own, and `merge_shards` joins the stores.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.sweeps.quantiles import summarise_store
from ldnsim.sweeps.store import IDENTITY, LAST

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Shard", "merge_shards", "shard_of"]

SHARD = re.compile(r"\s*([0-9]{1,6})\s*/\s*([0-9]{1,6})\s*\Z")
NAME = re.compile(r"(?P<stem>.*)\.(?P<number>[0-9]+)-of-(?P<count>[0-9]+)(?P<suffix>\.[^.]*)?\Z")


@dataclass(frozen=True)
class Shard:
    """Shard `number` of `count`, counted from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, block: int) -> bool:
        return block % self.count == self.number - 1

    def path(self, store: Path) -> Path:
        """The path of this shard of a store."""
        return store.with_name(f"{store.stem}.{self.number}-of-{self.count}{store.suffix}")


def shard_of(text: str) -> Shard:
    """The Shard of a string such as `3/16`; raises LdnsimError for other strings."""
    match = SHARD.match(text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise LdnsimError(Fault(f"shard {text!r}", expected="NUMBER/COUNT, such as 3/16"))
    return Shard(int(match[1]), int(match[2]))


def merge_shards(store: str | Path) -> xr.Dataset:
    """Join the shards of a sweep into one store.

    Parameters
    ----------
    store : path
        The store to make, such as `big.zarr`. Its shards are next to it, such as `big.3-of-16.zarr`, and are kept.

    Returns
    -------
    xarray.Dataset
        The whole sweep, read from `store` on demand; see `sweep`.

    Raises
    ------
    LdnsimError
        If a shard or one of its blocks is missing, if the shards are not of one sweep, or if `store` exists. Nothing is
        left behind then.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import ldnsim as ldn
    >>> scenario = ldn.load_scenario("night_vs_morning")
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Path(folder.name) / "doses.zarr"
    >>> for shard in ("1/2", "2/2"):
    ...     _ = ldn.sweep(scenario, {"night.dose": ["1.5 mg", "3 mg"]}, store=store, shard=shard, progress=False)
    >>> dict(ldn.merge_shards(store).sizes)
    {'night.dose': 2, 'account': 2, 'arm': 2}
    >>> folder.cleanup()
    """
    import xarray as xr

    path = Path(store)
    if path.exists():
        raise LdnsimError(Fault(f"{path} already exists", expected="a path that does not exist yet"))
    shards = _shards_beside(path)
    identities = {number: _identity(folder) for number, folder in shards.items()}
    first, count = shards[min(shards)], _count(shards)
    same = {key: value for key, value in identities[min(shards)].items() if key != "shard"}
    faults = [
        Fault(f"{shards[number]} is a shard of a different sweep: not the same {key}")
        for number, identity in identities.items()
        for key in same
        if identity.get(key) != same[key]
    ]
    if not faults:
        faults = _missing(path, shards, count)
    if faults:
        raise LdnsimError(faults)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        shutil.copytree(first, beside, copy_function=_linked)
        for folder in shards.values():
            for file in folder.glob("*/c/**/*"):
                place = beside / file.relative_to(folder)
                if file.is_file() and not place.exists():
                    place.parent.mkdir(parents=True, exist_ok=True)
                    _linked(file, place)
        about = json.loads((first / "zarr.json").read_text(encoding="utf-8"))
        about["attributes"][IDENTITY] = json.dumps(same)
        (beside / "zarr.json").unlink()  # it may be a hard link to the shard's own file
        (beside / "zarr.json").write_text(json.dumps(about), encoding="utf-8")
        beside.rename(path)
    except OSError as caught:
        raise LdnsimError(Fault(f"cannot write to {path}: {caught.strerror or caught}")) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    if same["keep"] == "quantiles":
        summarise_store(path)
    found: xr.Dataset = xr.open_zarr(path, chunks=None)
    return found


def _linked(source: str | Path, target: str | Path) -> None:
    """A hard link if the disk allows it, else a copy. Chunks are replaced, never modified."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _shards_beside(path: Path) -> dict[int, Path]:
    found = {}
    counts = set()
    for folder in sorted(path.parent.glob(f"{path.stem}.*-of-*{path.suffix}")):
        match = NAME.match(folder.name)
        if match and match["stem"] == path.stem:
            found[int(match["number"])] = folder
            counts.add(int(match["count"]))
    if not found:
        expected = f"{path.stem}.1-of-16{path.suffix} and so on, from `ldnsim sweep ... -o {path} --shard 1/16`"
        raise LdnsimError(Fault(f"there are no shards of {path} next to it", expected=expected))
    if len(counts) > 1:
        message = f"there are shards of several partitions next to {path}: of {', '.join(map(str, sorted(counts)))}"
        raise LdnsimError(Fault(message, expected="shards of one partition"))
    return found


def _count(shards: dict[int, Path]) -> int:
    match = NAME.match(next(iter(shards.values())).name)
    assert match is not None
    return int(match["count"])


def _identity(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
        found: dict[str, Any] = json.loads(about["attributes"][IDENTITY])
    except (OSError, ValueError, KeyError, TypeError):
        raise LdnsimError(Fault(f"{folder} is not the store of a sweep")) from None
    return found


def _missing(path: Path, shards: dict[int, Path], count: int) -> list[Fault]:
    """Faults for missing shards, and for blocks that a shard has not written yet."""
    faults = [
        Fault(f"shard {number}/{count} is missing", expected=str(Shard(number, count).path(path)))
        for number in range(1, count + 1)
        if number not in shards
    ]
    for number, folder in shards.items():
        about = json.loads((folder / LAST / "zarr.json").read_text(encoding="utf-8"))
        parts = about["chunk_grid"]["configuration"]["chunk_shape"]
        grid = product(*(range(math.ceil(whole / part)) for whole, part in zip(about["shape"], parts, strict=True)))
        mine = [place for block, place in enumerate(grid) if Shard(number, count).has(block)]
        left = sum(not (folder / LAST / "c" / "/".join(map(str, place))).exists() for place in mine)
        if left:
            message = f"shard {number}/{count} is incomplete: {left} of its {len(mine)} blocks are missing"
            faults.append(Fault(message, expected=f"`ldnsim sweep ... --shard {number}/{count}`, run to its end"))
    return faults
