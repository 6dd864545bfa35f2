"""A standard deviation: the datum is normal around the prediction, and the two meet on the linear scale."""

from __future__ import annotations

from ldnsim.library.error_model import ERROR_MODELS, ErrorModel

__all__: list[str] = []


def _as_stated(value: float, cv: float, sd: float) -> float:
    del value, cv
    return sd


ERROR_MODELS.add("normal", ErrorModel(takes=frozenset({"sd"}), logarithmic=False, error=_as_stated))
