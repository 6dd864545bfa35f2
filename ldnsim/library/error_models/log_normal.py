"""A coefficient of variation: the datum is log-normal around the prediction, and the two meet on the log scale."""

from __future__ import annotations

import numpy as np

from ldnsim.library.error_model import ERROR_MODELS, ErrorModel

__all__: list[str] = []


def _of_logarithm(value: float, cv: float, sd: float) -> float:
    del value, sd
    return float(np.sqrt(np.log1p(cv**2)))


ERROR_MODELS.add("log-normal", ErrorModel(takes=frozenset({"cv"}), logarithmic=True, error=_of_logarithm))
