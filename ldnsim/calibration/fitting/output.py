"""The files of a fit: its numbers as JSON, and a model with the fitted values as an account."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

from ldnsim.foundation.fields import Record
from ldnsim.foundation.units import Quantity
from ldnsim.foundation.yaml import read_text
from ldnsim.library.bibliography import BIBLIOGRAPHY
from ldnsim.library.files import library, load_file
from ldnsim.library.index import is_file
from ldnsim.model.records import Account

if TYPE_CHECKING:
    from ldnsim.calibration.fitting.result import FitResult
    from ldnsim.model.records import Model

__all__ = ["fit_files", "fitted_model", "record_text", "result_text"]

FORMAT = "ldnsim-fit-result/1"
DIGITS = 10


def result_text(result: FitResult) -> str:
    """The numbers of a fit as JSON.

    `parameters` maps addresses to value, low, high and at_bound; `order` has the addresses of the rows and columns of
    `covariance_log`, the covariance of their logarithms. Estimated times, which are not parameters, are in `times`.
    """
    estimates = result.estimates
    parameters = estimates[~estimates["time"]]
    order = [name for name, value in parameters["value"].items() if value > 0]
    return json.dumps(
        {
            "format": FORMAT,
            "account": result.provenance["account"],
            "name": result.fit.name,
            "parameters": _values(parameters),
            "order": order,
            "covariance_log": result.covariance.loc[order, order].to_numpy().tolist(),
            "times": _values(estimates[estimates["time"]]),
            "chi2": result.chi2,
            "degrees_of_freedom": result.degrees_of_freedom,
            "starts": {"tried": result.tried, "agreeing": result.agreeing},
            "statements": list(result.statements),
            "provenance": result.provenance,
        },
        indent=1,
    )


def fitted_model(result: FitResult) -> Model:
    """Add an account with the fitted values to the model of a fit.

    Parameters
    ----------
    result : FitResult
        As returned by `fit`.

    Returns
    -------
    Model
        The model with one more account, named after the fit.
    """
    record, account = result.fit, result.provenance["account"]
    base = record.model.accounts.get(account) or Account(title=record.model.title)
    changed = {address: value for address, value in record.changes.items() if "." in address}
    chosen = {slot: str(value) for slot, value in record.changes.items() if slot in record.model.slots}
    rebuilt = record.model.rebuilt(base, chosen)
    parameters = result.estimates[~result.estimates["time"]]
    fitted = {name: _quantity(row["value"], row["unit"]) for name, row in parameters.iterrows()}
    new = Account(
        title=f"{base.title}, fitted: {record.name}",
        note=_note(result),
        source=tuple(dict.fromkeys(key for fact in record.data.values() if fact.use == "fit" for key in fact.source)),
        values={**rebuilt.values, **changed, **fitted},
        **rebuilt.choices,
    )
    return record.model.model_copy(update={"accounts": {**record.model.accounts, record.name: new}})


def record_text(record: Record) -> str:
    """The YAML text of a model or part, which loads as an equal record; slots hold the names of their parts."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import LiteralScalarString

    content = _plain(record)
    if slots := getattr(record, "slots", None):
        content["slots"] = {slot: [part.name for part in parts] for slot, parts in slots.items()}
    if "equations" in content:
        content["equations"] = LiteralScalarString(content["equations"])
    writer = YAML(typ="rt", pure=True)
    writer.width, text = 120, StringIO()
    writer.dump(content, text)
    return text.getvalue()


def _note(result: FitResult) -> str:
    """To which data the values were fitted, and how well."""
    used = int((result.predictions["use"] == "fit").sum())
    parameters = result.estimates[~result.estimates["time"]]
    intervals = "; ".join(
        f"{name} {row['low']:.3g} to {row['high']:.3g} {row['unit']}".removesuffix(" 1")
        for name, row in parameters.iterrows()
    )
    what = f"Fitted to {used} data by the fit {result.fit.name} (chi-square {result.chi2:.3g}, "
    what += f"{result.degrees_of_freedom} degrees of freedom), from account {result.provenance['account']}."
    return f"{what} 95 % intervals: {intervals}."


def _values(rows: Any) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "value": _quantity(row["value"], row["unit"]),
            "low": _quantity(row["low"], row["unit"]),
            "high": _quantity(row["high"], row["unit"]),
            "at_bound": bool(row["at_bound"]),
        }
        for name, row in rows.iterrows()
    }


def _quantity(value: float, unit: str) -> str:
    return str(Quantity(float(f"{value:.{DIGITS}g}"), unit))


def _plain(found: Any) -> Any:
    """Records as plain mappings for YAML: quantities as text, tuples as lists."""
    if isinstance(found, Quantity):
        return str(found) if found.unit != "1" else found.value
    if isinstance(found, Record):
        fields = {info.alias or name: (name, info) for name, info in type(found).model_fields.items()}
        content = {
            key: getattr(found, name)
            for key, (name, info) in fields.items()
            if getattr(found, name) != info.get_default(call_default_factory=True)
        }
        return {key: _plain(value) for key, value in {**content, **(found.__pydantic_extra__ or {})}.items()}
    if isinstance(found, dict):
        return {key: _plain(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(value) for value in found]
    return found


def fit_files(result: FitResult) -> dict[str, str]:
    """Write the files of a fit as texts.

    Parameters
    ----------
    result : FitResult
        As returned by `fit`.

    Returns
    -------
    dict of str to str
        File name -> text: the numbers (JSON), the fitted model, and the parts and references that the model needs and
        the library does not have.
    """
    model = fitted_model(result)
    files = {f"{result.fit.name}.fit.json": result_text(result), f"{result.fit.name}.model.yaml": record_text(model)}
    known = library("parts")
    for part in {part.name: part for parts in model.slots.values() for part in parts}.values():
        text = record_text(part)
        if part.name not in known or record_text(load_file(known[part.name])) != text:
            files[f"{part.name}.yaml"] = text
    own = result.fit.folder / BIBLIOGRAPHY if result.fit.folder else None
    if own is not None and is_file(own):
        files[BIBLIOGRAPHY] = read_text(own)
    return files
