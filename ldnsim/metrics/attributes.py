"""The attributes of an output, and of its metrics, in a result: their names are written here alone.

`units` and `long_name` are those of the CF conventions, which xarray and others know, and are read directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.model.baselines import DRUG_FREE

if TYPE_CHECKING:
    import xarray as xr

    from ldnsim.model.records import Evidence

__all__ = [
    "EVIDENCE", "INPUTS", "OBSERVED", "OBSERVED_DOSES", "OBSERVED_HOURS", "RELATIVE_TO", "evidence_key", "evidence_of",
    "evidence_tags", "inputs_of_output", "is_ratio_to_twin", "observed_of", "texts_of",
]  # fmt: skip

EVIDENCE = "evidence"  # the weakest tag of all accounts
RELATIVE_TO = "relative_to"  # the baseline that an output was divided by
INPUTS = "inputs"  # whose doses an output is about
OBSERVED = "observed"  # what human data cover, in words
OBSERVED_HOURS = "observed_hours"  # how long after a dose they reach
OBSERVED_DOSES = "observed_doses"  # mg


def evidence_key(account: str) -> str:
    """The attribute that holds the evidence tag in an account."""
    return f"{EVIDENCE}_{account}"


def evidence_of(data: xr.DataArray, account: str, absent: str = "") -> str:
    """The evidence tag in an account, or that of all accounts; `absent` where there is neither."""
    return str(data.attrs.get(evidence_key(account), data.attrs.get(EVIDENCE, absent)))


def evidence_tags(attrs: Mapping[str, Any]) -> dict[str, Evidence]:
    """The attributes that are evidence tags: of all accounts together and of each."""
    return {key: tag for key, tag in attrs.items() if key == EVIDENCE or key.startswith(evidence_key(""))}


def inputs_of_output(data: xr.DataArray) -> list[str]:
    """The inputs whose doses an output is about; none named: all."""
    return texts_of(data.attrs.get(INPUTS, []))


def observed_of(data: xr.DataArray) -> str:
    """What human data cover, in words; "" where it is not stated."""
    return str(data.attrs.get(OBSERVED) or "")


def is_ratio_to_twin(data: xr.DataArray) -> bool:
    """Whether an output is divided by its drug-free twin already."""
    return bool(data.attrs.get(RELATIVE_TO) == DRUG_FREE)


def texts_of(attribute: Any) -> list[str]:
    """An attribute that is a list of texts; netCDF hands a list of one back as a text, and none as an empty array."""
    return [attribute] * bool(attribute) if isinstance(attribute, str) else [*map(str, np.ravel(np.asarray(attribute)))]
