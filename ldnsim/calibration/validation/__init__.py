"""Validation: every fact that was fitted or is to be predicted, with the model's prediction.

`evaluate` returns records, `validate` the same as a data frame. A fact that the model cannot predict has a row that
says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldnsim.calibration.validation.rows import ModelRuns, ValidationRow, rows_of
from ldnsim.calibration.validation.runs import parameter_set_changes, runs_of
from ldnsim.calibration.validation.summary import FactConflict, Overall, conflicts_of, overall_of
from ldnsim.library.facts import facts_of_library
from ldnsim.library.files import load_predictions
from ldnsim.scenario.changes import setting_of

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.engine.choose import SolverName
    from ldnsim.foundation.fields import Change
    from ldnsim.library.facts import Fact
    from ldnsim.library.predictions import Predictions
    from ldnsim.model.records import Model

__all__ = ["FactConflict", "Overall", "Validation", "ValidationRow", "evaluate", "frame_of", "validate"]


@dataclass(frozen=True)
class Validation:
    """A model compared with the facts.

    Attributes
    ----------
    model : Model
        The model.
    rows : tuple of ValidationRow
        A row per number of a fact, and per account that differs in it.
    overall : tuple of Overall
        Mean errors over groups of facts.
    conflicts : tuple of FactConflict
        Facts that contradict each other.
    parameter_sets : tuple of str
        Names of the published parameter sets under which the facts were predicted as well.
    """

    model: Model
    rows: tuple[ValidationRow, ...]
    overall: tuple[Overall, ...]
    conflicts: tuple[FactConflict, ...]
    parameter_sets: tuple[str, ...]


def validate(model: Model, *, rtol: float = 1e-6, solver: SolverName = "native") -> pd.DataFrame:
    """Compare a model with every fact of the library, fitted or predicted.

    Parameters
    ----------
    model : Model
        The model, as returned by `load_model`.
    rtol : float
        Relative tolerance of the solver.
    solver : {"native", "reference"}
        Compiled solver, or the slow reference solver.

    Returns
    -------
    pandas.DataFrame
        One row per value of a fact, and per account if accounts differ in it. Columns: `fact`; `use` (fit, test or
        context); `quantity`; `account`; `predicted`; `observed` (as printed; as numbers `observed_low`,
        `observed_high`); `unit`; `error` and its `scale` (fold, points or hours); `conditions` (regimen, metric,
        window); `tag`; `source`; `status`; `reason` (why there is no prediction); `predicted_low` and
        `predicted_high` (if the time of the measurement is uncertain); and `under_<name>`, the prediction under each
        alternative published parameter set.

    Raises
    ------
    LdnsimError
        For faults in the tables of the library.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> table = ldn.validate(ldn.load_model("ldn", account="transient"))
    >>> sorted(set(table["use"]))
    ['context', 'fit', 'test']
    """
    return frame_of(evaluate(model, rtol=rtol, solver=solver))


def evaluate(
    model: Model,
    predictions: Predictions | None = None,
    facts: Mapping[str, Fact] | None = None,
    *,
    rtol: float = 1e-6,
    solver: SolverName = "native",
) -> Validation:
    """Compare a model with facts, as records.

    Parameters
    ----------
    model : Model
        The model, as returned by `load_model`.
    predictions : Predictions, optional
        How facts are predicted. The library's by default.
    facts : mapping of str to Fact, optional
        Facts by their id. The library's by default.
    rtol : float
        Relative tolerance of the solver.
    solver : {"native", "reference"}
        Compiled solver, or the slow reference solver.

    Returns
    -------
    Validation
        Predictions of all facts, overall errors and contradictions.

    Raises
    ------
    LdnsimError
        For faults in the tables of the library.
    """
    predictions = load_predictions() if predictions is None else predictions
    facts = facts_of_library() if facts is None else facts
    accounts = tuple(model.accounts) or (model.name,)

    def runs(changes: Mapping[str, Change]) -> ModelRuns:
        settings = {name: setting_of(model, name, changes) for name in accounts}
        return ModelRuns(settings, runs_of(model, predictions, changes, rtol=rtol, solver=solver))

    chosen = {name: parameter_set_changes(model, choice) for name, choice in predictions.rivals.items()}
    under = {name: runs(changes) for name, changes in chosen.items() if changes}
    rows = rows_of(model, predictions, facts, runs({}), under)
    return Validation(model, tuple(rows), tuple(overall_of(rows)), tuple(conflicts_of(rows, predictions)), tuple(under))


def frame_of(validation: Validation) -> pd.DataFrame:
    """Return the rows as a data frame; its columns are described in `validate`."""
    import pandas as pd

    records = []
    for row in validation.rows:
        span = row.observed
        by_hour = [value for _, value in row.by_hour]
        records.append(
            {
                "fact": row.fact.id,
                "use": row.fact.use,
                "quantity": row.quantity,
                "account": row.account,
                "predicted": row.predicted,
                "observed": row.fact.value,
                "observed_low": span.low if span else math.nan,
                "observed_high": span.high if span else math.nan,
                "unit": row.unit,
                "error": row.error,
                "scale": row.scale,
                "conditions": row.conditions,
                "tag": row.tag,
                "source": row.fact.source,
                "status": row.fact.status,
                "reason": row.reason,
                "predicted_low": min(by_hour, default=math.nan),
                "predicted_high": max(by_hour, default=math.nan),
                **{f"under_{name}": row.by_parameter_set.get(name, math.nan) for name in validation.parameter_sets},
            }
        )
    return pd.DataFrame(records)
