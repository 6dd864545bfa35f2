"""Axes and designs of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import Fault, LdnsimError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["axes_of", "design_of"]

TO = ".."
AXIS = "ADDRESS=V1,V2,... or ADDRESS=FROM..TO[/POINTS][/log]"


def axes_of(texts: Sequence[str]) -> dict[str, Any] | None:
    """`night.dose=1.5 mg,3 mg` and `occupancy.EC50=0.7 ng/mL..4.7 ng/mL/9/log` as the axes of `ldnsim.sweep`."""
    axes: dict[str, Any] = {}
    faults = []
    for text in texts:
        address, _, values = (part.strip() for part in text.partition("="))
        if not address or not values:
            faults.append(Fault(f"--axis {text!r}", expected=AXIS))
        elif address in axes:
            faults.append(Fault(f"--axis {address} is given twice", expected="each axis once"))
        else:
            axes[address] = _range(values) if TO in values else [value.strip() for value in values.split(",")]
    if faults:
        raise LdnsimError(faults)
    return axes or None


def design_of(text: str) -> dict[str, Any] | None:
    """`sobol:256` or `sobol:256:7` (kind, cells, seed) in the form that `ldnsim.sweep` takes."""
    if not text:
        return None
    parts = text.split(":")
    if len(parts) > 3:
        raise LdnsimError(Fault(f"--design {text!r}", expected="KIND, KIND:CELLS or KIND:CELLS:SEED"))
    return dict(zip(("kind", "cells", "seed"), parts, strict=False))


def _range(text: str) -> dict[str, Any]:
    start, _, rest = text.partition(TO)
    found: dict[str, Any] = {"from": start.strip()}
    head, _, last = rest.rpartition("/")
    if last.strip() == "log":
        found["scale"], rest = "log", head
        head, _, last = rest.rpartition("/")
    if head and last.strip().isdigit():  # 4.7 ng/mL has a slash of its own
        found["points"], rest = last.strip(), head
    return found | {"to": rest.strip()}
