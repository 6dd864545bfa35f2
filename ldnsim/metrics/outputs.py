"""How a result is read: its outputs, their kinds, and their drug-free twins, whose names are written here alone.

A result holds an output under its own name, dims (account, arm, [subject,] time), and its drug-free twin, which has no
arm, under a name that `twin_name` gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ldnsim.metrics.attributes import RELATIVE_TO, is_ratio_to_twin
from ldnsim.model.baselines import baseline_of
from ldnsim.model.output_kinds import OutputKind, kind_named

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.model.baselines import Baseline

__all__ = [
    "PIECE_END",
    "PIECE_START",
    "baseline_in",
    "is_twin_name",
    "kind_in",
    "output_of",
    "outputs_in",
    "outputs_where",
    "over_twin",
    "pieces_name",
    "tone_first",
    "twin_in",
    "twin_name",
]  # fmt: skip

TWIN = "_drug_free"
PIECES = "_pieces"
PIECE_START, PIECE_END = "piece_start", "piece_end"


def twin_name(output: str) -> str:
    """The name under which a result holds the drug-free twin of an output."""
    return output + TWIN


def is_twin_name(name: object) -> bool:
    """Whether a name is that of a drug-free twin."""
    return str(name).endswith(TWIN)


def output_of(name: object) -> str:
    """The output whose drug-free twin a name is; the name itself where it is that of an output."""
    return str(name).removesuffix(TWIN)


def pieces_name(name: str) -> str:
    """The name under which a result holds an output, or its twin, as polynomials over the window of metrics."""
    return name + PIECES


def outputs_in(result: xr.Dataset) -> list[str]:
    """The outputs of a result, without their twins, in its order."""
    names = [str(name) for name, data in result.data_vars.items() if "time" in data.dims]
    return [name for name in names if not (is_twin_name(name) and output_of(name) in names)]


def kind_in(result: xr.Dataset, output: str) -> OutputKind:
    """The kind of an output; `other` where the result does not say."""
    return kind_named(result[output].attrs.get("kind", "other"))


def baseline_in(result: xr.Dataset, output: str) -> Baseline | None:
    """What an output was divided by; None where it is in its own unit."""
    return baseline_of(result[output].attrs.get(RELATIVE_TO))


def outputs_where(result: xr.Dataset, is_so: str) -> Iterator[str]:
    """The outputs whose kind has a property, by the property's name: `is_blockade`, `is_effect`, `says_tone`."""
    return (name for name in outputs_in(result) if getattr(kind_in(result, name), is_so))


def tone_first(result: xr.Dataset) -> list[str]:
    """The outputs that are levels of the body's own opioids, those that are ratios to the drug-free twin first."""
    return sorted(outputs_where(result, "says_tone"), key=lambda name: not is_ratio_to_twin(result[name]))


def twin_in(result: xr.Dataset, output: str) -> xr.DataArray | None:
    """The output without drug, dims (account, [subject,] time); None where the result does not hold it."""
    return result.get(twin_name(output))


def over_twin(result: xr.Dataset, output: str) -> xr.DataArray:
    """The output divided by its drug-free twin; as it is, where the result holds no twin of it."""
    twin = twin_in(result, output)
    return result[output] if twin is None else result[output] / twin
