"""How far a datum may lie from the prediction: the error model that takes what the datum states, `cv`, `sd` or both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.foundation.registry import Registry

if TYPE_CHECKING:
    from ldnsim.library.fit_file import DataTable, Datum

__all__ = ["ERROR_MODELS", "ErrorModel", "error_model", "error_model_taking"]


@dataclass(frozen=True)
class ErrorModel:
    """How a datum is held against the model.

    Parameters
    ----------
    takes
        What a datum states of its error: "cv", "sd" or both. No two error models take the same.
    logarithmic
        Whether datum and prediction are compared by their logarithms, or as they are.
    error
        From the observed value, the CV (a share) and the SD (both NaN where not stated), value and SD in the datum's
        unit: the standard error on the scale of the comparison.
    """

    takes: frozenset[str]
    logarithmic: bool
    error: Callable[[float, float, float], float]


ERROR_MODELS: Registry[ErrorModel] = Registry("error model", "ldnsim.library.error_models")


def error_model_taking(stated: Collection[str]) -> ErrorModel | None:
    """The error model that takes exactly this; None where there is none."""
    return next((model for _, model in ERROR_MODELS.items() if model.takes == frozenset(stated)), None)


def error_model(of: Datum | DataTable) -> ErrorModel | None:
    """The error model of a datum, or of the rows of a table; None where it states no error, or none that fits."""
    return error_model_taking([name for name in ("cv", "sd") if getattr(of, name) is not None])
