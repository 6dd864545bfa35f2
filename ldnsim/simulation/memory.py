"""What fits into memory."""

from __future__ import annotations

import psutil

__all__ = ["free_memory", "size_text"]


def free_memory() -> float:
    """Bytes that can be had without swapping."""
    return float(psutil.virtual_memory().available)


def size_text(size: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.0f} PB"
