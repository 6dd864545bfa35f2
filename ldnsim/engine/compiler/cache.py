"""Compiled code on disk, so that a model is compiled once per machine and version.

A file's name is the hash of everything that its content depends on, so a stale entry is one that nobody asks for. Files
appear in one step (written aside, then renamed) and start with a checksum: what a crash or another process left is
either whole or ignored. A directory that cannot be written costs speed and one warning, nothing else.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path

__all__ = ["directory", "engine_version", "load", "save"]

ENVIRONMENT = "LDNSIM_CACHE"
CHECKSUM = 32  # bytes
_warned = False


def directory() -> Path:
    """LDNSIM_CACHE, or the platform's place for what can be made again."""
    if chosen := os.environ.get(ENVIRONMENT):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ldnsim"


@cache
def engine_version() -> str:
    """The hash of this package's own text: whoever changes the engine need not remember to change a number."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def load(key: str) -> bytes | None:
    """What was saved under the key; None where there is nothing, or nothing whole."""
    try:
        content = _file(key).read_bytes()
    except (OSError, RuntimeError):  # RuntimeError: no home directory
        return None
    checksum, code = content[:CHECKSUM], content[CHECKSUM:]
    return code if code and hashlib.sha256(code).digest() == checksum else None


def save(key: str, code: bytes) -> None:
    """Keep the code under the key; where that fails, warn once."""
    global _warned  # noqa: PLW0603 - one warning per process
    aside = None
    try:
        file = _file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=file.parent, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(hashlib.sha256(code).digest() + code)
        os.replace(aside, file)
    except (OSError, RuntimeError) as caught:
        if aside is not None:
            Path(aside).unlink(missing_ok=True)
        if not _warned:
            _warned = True
            warnings.warn(
                f"compiled models cannot be kept, so that each new process compiles again: {caught}", stacklevel=2
            )


def _file(key: str) -> Path:
    return directory() / f"{hashlib.sha256(key.encode()).hexdigest()}.o"
