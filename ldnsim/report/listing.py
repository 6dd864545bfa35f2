"""What `ldnsim list` lists, by kind: a name and a line each. Titles are read from files without checking them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest, shown

if TYPE_CHECKING:
    from ldnsim.model.records import Model

__all__ = ["DEFAULT_KINDS", "KINDS", "OF_A_MODEL", "Entry", "entries", "names"]


class Entry(NamedTuple):
    """An item with its title."""

    name: str
    title: str


DEFAULT_KINDS = ("models", "scenarios", "fits")


def entries(kind: str, model: str = "") -> list[Entry]:
    """List all items of a kind.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    model : str, optional
        Name or path of the model, for the kinds in `OF_A_MODEL`. "ldn" by default.

    Returns
    -------
    list of Entry
        Names and titles.

    Raises
    ------
    LdnsimError
        For an unknown kind, a model that cannot be read, or a model where the kind does not belong to one.
    """
    if kind not in KINDS:
        raise LdnsimError(Fault(f"unknown kind {shown(kind)}", expected=listed(KINDS), nearest=nearest(kind, KINDS)))
    if model and kind not in OF_A_MODEL:
        message = f"{kind} do not belong to a model, but the model {shown(model)} was given"
        raise LdnsimError(Fault(message, expected=f"no model, or one of the kinds {listed(OF_A_MODEL)}"))
    return list(KINDS[kind](model or "ldn"))


def names(kind: str) -> list[str]:
    """List the names of a kind, for shell completion.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.

    Returns
    -------
    list of str
        Names, in order.
    """
    return [entry.name for entry in entries(kind)]


def _files(kind: str) -> Callable[[str], Iterator[Entry]]:
    def found(model: str) -> Iterator[Entry]:
        from ldnsim.library.index import library, title_of

        del model
        return (Entry(name, title_of(path)) for name, path in library(kind).items())

    return found


def _of_model(read: Callable[[Model], Iterator[Entry]]) -> Callable[[str], Iterator[Entry]]:
    def found(model: str) -> Iterator[Entry]:
        from ldnsim.library.files import load_model

        return read(load_model(model))

    return found


def _accounts(model: Model) -> Iterator[Entry]:
    return (Entry(name, account.title) for name, account in model.accounts.items())


def _inputs(model: Model) -> Iterator[Entry]:
    return (Entry(name, product.title or f"{product.salt} of {product.drug}") for name, product in model.inputs.items())


def _outputs(model: Model) -> Iterator[Entry]:
    return (Entry(name, f"{output.title} ({output.unit}, {output.kind})") for name, output in model.outputs.items())


def _drugs(model: Model) -> Iterator[Entry]:
    return (
        Entry(name, f"{drug.molar_mass}{f', {drug.note}' if drug.note else ''}") for name, drug in model.drugs.items()
    )


def _states(model: Model) -> Iterator[Entry]:
    found = {
        f"{slot}.{name}": f"{part.title} ({state.unit})"
        for slot, parts in model.slots.items()
        for part in parts
        for name, state in part.states.items()
    }
    return (Entry(name, title) for name, title in found.items())


def _sets(model: Model) -> Iterator[Entry]:
    return (
        Entry(f"{slot}.rivals={name}", ", ".join(f"{key} = {value}" for key, value in published.values.items()))
        for slot, parts in model.slots.items()
        for part in parts
        for name, published in part.rivals.items()
    )


def _parameters(model: Model) -> Iterator[Entry]:
    found = {
        f"{slot}.{name}": f"{parameter.description} ({parameter.value})"
        for slot, parts in model.slots.items()
        for part in parts
        for name, parameter in part.parameters.items()
    }
    return (Entry(name, title) for name, title in found.items())


def _metrics(model: str) -> Iterator[Entry]:
    from ldnsim.metrics.catalogue import all_metrics

    del model
    return (
        Entry(name, f"{metric.title} ({', '.join(sorted(metric.kinds)) if metric.kinds else 'any output'})")
        for name, metric in all_metrics().items()
    )


def _kinds(model: str) -> Iterator[Entry]:
    from ldnsim.model.output_kinds import kind_named, kind_names

    del model
    return (Entry(name, kind_named(name).title) for name in kind_names())


def _facts(model: str) -> Iterator[Entry]:
    from ldnsim.library.facts import facts_of_library

    del model
    return (Entry(name, f"{fact.quantity} ({fact.use})") for name, fact in facts_of_library().items())


def _sources(model: str) -> Iterator[Entry]:
    from ldnsim.library.files import load_bibliography

    del model
    return (Entry(key, citation) for key, citation in load_bibliography().items())


def _formats(model: str) -> Iterator[Entry]:
    from ldnsim.report.output_files import FORMATS

    del model
    for name, form in FORMATS.items():
        yield Entry(name, form.title)


def _solvers(model: str) -> Iterator[Entry]:
    from ldnsim.engine.choose import SOLVERS

    del model
    for name, solver in SOLVERS.items():
        yield Entry(name, (sys.modules[solver.__module__].__doc__ or "").partition("\n")[0])


OF_A_MODEL: dict[str, Callable[[str], Iterator[Entry]]] = {
    "accounts": _of_model(_accounts),
    "inputs": _of_model(_inputs),
    "outputs": _of_model(_outputs),
    "states": _of_model(_states),
    "parameters": _of_model(_parameters),
    "sets": _of_model(_sets),
    "drugs": _of_model(_drugs),
}
KINDS: dict[str, Callable[[str], Iterator[Entry]]] = {
    "models": _files("models"),
    "parts": _files("parts"),
    "scenarios": _files("scenarios"),
    "fits": _files("fits"),
    **OF_A_MODEL,
    "metrics": _metrics,
    "output-kinds": _kinds,
    "facts": _facts,
    "sources": _sources,
    "formats": _formats,
    "solvers": _solvers,
}
