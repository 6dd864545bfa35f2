"""Data frames passed to a figure: the columns it needs as arrays, or all faults of the frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ldnsim.foundation.errors import Fault, LdnsimError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["columns_of"]


def columns_of(
    table: pd.DataFrame, numbers: Sequence[str], texts: Sequence[str] = (), optional: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """name -> column: floats for `numbers` and for `optional` columns that exist, strings for `texts`.

    Raises LdnsimError for a table without rows, and with a fault for each missing or non-numeric column.
    """
    known = [str(name) for name in table.columns]
    faults = [
        Fault(
            f"the table has no column {name!r}",
            (),
            f"{name}; found: {', '.join(known) or 'none'}",
            nearest(name, known),
        )
        for name in (*numbers, *texts)
        if name not in known
    ]
    found: dict[str, NDArray[Any]] = {}
    for name in (*numbers, *(name for name in optional if name in known)):
        if name in known:
            try:
                found[name] = table[name].to_numpy(dtype=float)
            except (TypeError, ValueError):
                faults.append(
                    Fault(f"the column {name!r} has values that are not numbers", (), "a number in every row")
                )
    if not faults and not len(table):
        faults.append(Fault("There is nothing to draw: the table has no rows."))
    if faults:
        raise LdnsimError(faults)
    return found | {name: table[name].astype(str).to_numpy() for name in texts}
