"""Registries: what can be added by one file in a folder, found by itself and asked for by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Generic, TypeVar

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest

__all__ = ["Registry"]

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries of one kind. Modules of the package `folder` add theirs while they are imported, which happens when
    somebody first asks; a program may add others, and remove them again.
    """

    def __init__(self, kind: str, folder: str) -> None:
        self._kind, self._folder = kind, folder
        self._entries: dict[str, T] = {}
        self._loaded = False

    def add(self, name: str, entry: T) -> None:
        """Make an entry known under a name; raises LdnsimError where the name is taken."""
        if name in self._entries:
            raise LdnsimError(Fault(f"there is a {self._kind} {name!r} already", expected="another name"))
        self._entries[name] = entry

    def adds(self, name: str) -> Callable[[T], T]:
        """A decorator: `add` for what it decorates."""

        def added(entry: T) -> T:
            self.add(name, entry)
            return entry

        return added

    def remove(self, name: str) -> None:
        """Take an entry out again; raises LdnsimError where there is none of this name."""
        self.named(name)
        del self._entries[name]

    def named(self, name: str) -> T:
        """The entry of this name; raises LdnsimError, with the nearest name, where there is none."""
        if name not in self.names():
            raise LdnsimError(self.unknown(name))
        return self._entries[name]

    def unknown(self, name: str) -> Fault:
        """What to say of a name that is not known."""
        names = self.names()
        return Fault(f"unknown {self._kind} {name!r}", expected=listed(names), nearest=nearest(name, names))

    def names(self) -> tuple[str, ...]:
        """All names, in the order of the folder's files."""
        self._load()
        return tuple(self._entries)

    def items(self) -> Iterator[tuple[str, T]]:
        """Names and entries."""
        self._load()
        return iter(dict(self._entries).items())

    def _load(self) -> None:
        if not self._loaded:
            for module in sorted(iter_modules(import_module(self._folder).__path__), key=lambda found: found.name):
                import_module(f"{self._folder}.{module.name}")
            self._loaded = True
