"""The steps of a fit, from the record to the result."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ldnsim.calibration.fitting.batch import RTOL
from ldnsim.calibration.fitting.problem import Problem, problem_of
from ldnsim.calibration.fitting.profile import Interval, covariance, profile
from ldnsim.calibration.fitting.result import FitResult
from ldnsim.calibration.fitting.search import Minimum, Point, descend, evaluate_at, starts
from ldnsim.calibration.fitting.statements import AT_BOUND, statements
from ldnsim.foundation.errors import Fault, LdnsimError, listed
from ldnsim.library.checks import datum_faults, fit_faults
from ldnsim.library.files import load_bibliography, load_fit
from ldnsim.library.fit_file import Fit
from ldnsim.simulation.provenance import package_version

if TYPE_CHECKING:
    import pandas as pd

    from ldnsim.engine.choose import SolverName

__all__ = ["fit"]

SAME = 1e-3  # of chi-square, relative and absolute: the same optimum
NO_EFFECT = 1e-9  # largest change of any datum, in errors, while a parameter goes from bound to bound
MAX_RETURNS = 5  # times that a profile may find a lower minimum


def fit(what: Fit | str | Path, *, rtol: float = RTOL, solver: SolverName = "native") -> FitResult:
    """Estimate parameters from data by weighted least squares.

    Data with a `cv` are compared on the log scale, data with an `sd` on the linear scale. The search starts from
    several points, and intervals are 95 % profile likelihood intervals. The same file and seed give bitwise equal
    numbers.

    Parameters
    ----------
    what : Fit, str or path
        A fit, as returned by `load_fit`, or the name or path of its file.
    rtol : float
        Relative tolerance of the solver; small, since curves are differenced.
    solver : {"native", "reference"}
        Compiled solver, or the slow reference solver.

    Returns
    -------
    FitResult
        Estimates with intervals and units, their covariance and correlation, the prediction of each datum, and
        statements about the fit; see `FitResult`.

    Raises
    ------
    LdnsimError
        For a faulty file, a parameter that has no effect on the data, starting points without a solution, and no
        convergence.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> record = ldn.load_fit("oral_clearance")
    >>> some = {"plasma.CL": record.estimate["plasma.CL"]}
    >>> result = ldn.fit(record.model_copy(update={"starts": 1, "estimate": some}))
    >>> result.estimates["unit"].to_dict()
    {'plasma.CL': 'L/h'}
    """
    record = what if isinstance(what, Fit) else load_fit(what)
    _refuse_faulty(record)
    problem = problem_of(record, solver, rtol)
    _refuse_without_effect(problem, evaluate_at(problem, problem.start))
    starting_points = starts(problem)
    found = [descend(problem, start) for start in starting_points]
    minima = [end.point for end in found if isinstance(end, Minimum) and end.converged]
    if not minima:
        raise LdnsimError(_why_none(record, found))
    best = min(minima, key=lambda point: point.chi2)
    for _ in range(MAX_RETURNS):
        best = evaluate_at(problem, best.position)
        spreads, spread, directions = covariance(best.slopes)
        intervals = [profile(problem, best, spreads, index) for index in range(len(problem.axes))]
        lower = [interval.lower for interval in intervals if interval.lower is not None]
        if not lower:
            break
        again = descend(problem, min(lower, key=lambda point: point.chi2).position)
        best = again.point if isinstance(again, Minimum) else lower[0]
    _refuse_without_effect(problem, best)
    agreeing = sum(abs(point.chi2 - best.chi2) < SAME * (1 + best.chi2) for point in minima)
    scale = np.sqrt(np.diag(spreads))
    correlation = spreads / np.outer(scale, scale)
    texts = statements(problem, best, intervals, correlation, spread, directions)
    if agreeing == 1 and len(starting_points) > 1:
        texts.insert(0, "Only one start reached this optimum: a better one may exist; try more `starts`.")
    return _result(problem, best, intervals, spreads, correlation, texts, agreeing, len(starting_points))


def _refuse_faulty(record: Fit) -> None:
    """Check a record as a file is checked when it is read: it may have been made, or changed, in Python."""
    faults = fit_faults(record, load_bibliography(record.folder))
    for name in record.tables:
        rows = [fact for label, fact in record.data.items() if label.startswith(f"{name}.")]
        faults += [fault for fact in rows for fault in datum_faults(record, fact, ("tables", name))]
        if not rows:
            faults.append(Fault("the table was not read", ("tables", name), "a fit from `load_fit`, or facts"))
    if faults:
        raise LdnsimError(faults)


def _refuse_without_effect(problem: Problem, point: Point) -> None:
    """Refuse parameters that have no effect on any datum."""
    if point.why:
        return
    faults = [
        Fault(f"{axis.name} moves none of the data", ("estimate", name), "data that depend on it", at_key=True)
        for axis, name, column in zip(problem.axes, problem.fit.estimate, point.slopes.T, strict=True)
        if np.all(np.abs(column) < NO_EFFECT)
    ]
    if faults:
        raise LdnsimError(faults)


def _why_none(record: Fit, found: list[Minimum | str]) -> str:
    unsolved = list(dict.fromkeys(end for end in found if isinstance(end, str)))
    if unsolved and not any(isinstance(end, Minimum) for end in found):
        return f"The fit {record.name} could not be solved at any of its starts: {listed(unsolved)}."
    return f"The fit {record.name} did not converge from any of its {len(found)} starts: other bounds may help."


def _result(
    problem: Problem,
    best: Point,
    intervals: list[Interval],
    spreads: np.ndarray,
    correlation: np.ndarray,
    texts: list[str],
    agreeing: int,
    tried: int,
) -> FitResult:
    import pandas as pd

    record, axes = problem.fit, problem.axes
    names = [axis.name for axis in axes]
    values = problem.values(best.position)
    widths = np.array([axis.width(value) for axis, value in zip(axes, values, strict=True)])
    of_logarithm = spreads * np.outer(widths, widths)
    estimates = pd.DataFrame(
        {
            "value": values,
            "low": [float(axis.value(i.low)) for axis, i in zip(axes, intervals, strict=True)],
            "high": [float(axis.value(i.high)) for axis, i in zip(axes, intervals, strict=True)],
            "unit": [axis.unit for axis in axes],
            "start": [axis.start for axis in axes],
            "lower": [axis.low for axis in axes],
            "upper": [axis.high for axis in axes],
            "at_bound": (best.position < AT_BOUND) | (best.position > 1 - AT_BOUND),
            "open_below": [interval.open_below for interval in intervals],
            "open_above": [interval.open_above for interval in intervals],
            "se_log": np.sqrt(np.diag(of_logarithm)),
            "time": [axis.column is None for axis in axes],
        },
        index=pd.Index(names, name="parameter"),
    )
    return FitResult(
        fit=record,
        estimates=estimates,
        covariance=pd.DataFrame(of_logarithm, names, names),
        correlation=pd.DataFrame(correlation, names, names),
        predictions=_predictions(problem, best),
        statements=tuple(texts),
        chi2=best.chi2,
        degrees_of_freedom=int(problem.fitted.sum()) - len(axes),
        agreeing=agreeing,
        tried=tried,
        provenance={
            "package_version": package_version(),
            "model": record.model.name,
            "model_hash": hashlib.sha256(record.model.model_dump_json().encode()).hexdigest(),
            "account": next(iter(record.scenario.accounts), record.model.name),
            "seed": record.seed,
            "fit_text": record.text,
        },
    )


def _predictions(problem: Problem, best: Point) -> pd.DataFrame:
    import pandas as pd

    predicted = problem.predictions(best.position[None])[0][0]
    residual = problem.residuals(predicted[None])[0]
    data = problem.data.values()
    with np.errstate(divide="ignore", invalid="ignore"):
        fold = np.exp(np.abs(np.log(predicted / problem.observed)))
    has_error = [datum.cv is not None or datum.sd is not None for datum in data]
    return pd.DataFrame(
        {
            "arm": [datum.arm for datum in data],
            "output": [datum.output for datum in data],
            "what": [datum.what for datum in data],
            "observed": problem.observed,
            "error": np.where(has_error, problem.error, np.nan),
            "predicted": predicted,
            "residual": np.where(has_error, residual, np.nan),
            "fold": np.where(np.isfinite(fold), fold, np.nan),
            "use": [datum.use for datum in data],
            "logarithmic": problem.logarithmic,
            "unit": [datum.value.unit for datum in data],
            "source": [", ".join(datum.source) for datum in data],
        },
        index=pd.Index(list(problem.data), name="datum"),
    )
