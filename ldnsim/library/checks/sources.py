"""Checks of sources: what is said has one, and a bibliography knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, nearest
from ldnsim.model.records import ASSUMED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["NEEDS_SOURCE", "source_faults"]

NEEDS_SOURCE = "source: a key of references.bib, or 'assumed' with a note"


def source_faults(keys: Iterable[str], sources: Collection[str], path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Keys that no bibliography knows."""
    for index, key in enumerate(keys):
        if key != ASSUMED and key not in sources:
            yield Fault(
                f"unknown source {key!r}",
                (*path, index),
                "a key of references.bib, or 'assumed' with a note",
                nearest(key, sources),
            )
