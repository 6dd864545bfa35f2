"""Checks of what a part says about differences between people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest
from ldnsim.foundation.units import DIMENSIONLESS, coherent
from ldnsim.library.checks.sources import NEEDS_SOURCE, source_faults
from ldnsim.model.records import ASSUMED
from ldnsim.model.variability import NotTogether, logit_sd_bounds, mixing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ldnsim.model.records import Parameter, Part

__all__ = ["correlation_faults", "variability_faults"]

LOWEST = {"normal": 4.0, "uniform": 3**0.5}  # how many CVs below the value a distribution reaches


def variability_faults(parameter: Parameter) -> Iterator[Fault]:
    """A distribution that fits the value, where the parameter varies at all. Paths start at the parameter."""
    cvs = {"iiv_cv": parameter.iiv_cv, "iov_cv": parameter.iov_cv}
    stated = {field: coherent(cv) for field, cv in cvs.items() if cv is not None}
    distribution, value = parameter.distribution, coherent(parameter.value)
    if not stated and "distribution" in parameter.model_fields_set:
        yield Fault(
            "a distribution of what does not vary", ("distribution",), "iiv_cv or iov_cv beside it", at_key=True
        )
    if distribution == "logit_normal":
        if parameter.dimension != DIMENSIONLESS:
            yield Fault(f"{parameter.value} is no share", ("distribution",), "log_normal")
            return
        for field, cv in stated.items():
            try:
                logit_sd_bounds(value, cv)
            except LdnsimError as caught:
                yield from (Fault(fault.message, (field,), fault.expected) for fault in caught.faults)
    elif distribution == "log_normal" and stated and value <= 0:
        yield Fault(f"{parameter.value} varies by a factor", ("value",), "more than 0, or distribution: normal")
    elif distribution in LOWEST and parameter.range is not None and parameter.range[0].value >= 0:
        for field, cv in stated.items():
            if cv * LOWEST[distribution] > 1:
                yield Fault(f"with a CV of {cv:.0%} this reaches below 0", (field,), "log_normal, or a smaller CV")


def correlation_faults(part: Part, sources: Collection[str]) -> Iterator[Fault]:
    """Correlations of parameters that vary, with a source, that can hold together."""
    pairs: list[frozenset[str]] = []
    clean = True
    for index, one in enumerate(part.correlations):
        path = ("correlations", index)
        for which, name in enumerate(one.between):
            if name not in part.parameters:
                near = nearest(name, part.parameters)
                yield Fault(f"unknown parameter {name!r}", (*path, "between", which), listed(part.parameters), near)
                clean = False
            elif part.parameters[name].iiv_cv is None:
                yield Fault(f"{name} is the same in everybody", (*path, "between", which), "a parameter with iiv_cv")
                clean = False
        if not one.source or (ASSUMED in one.source and not one.note.strip()):
            yield Fault("a correlation without source", path, NEEDS_SOURCE)
        yield from source_faults(one.source, sources, (*path, "source"))
        if len(set(one.between)) == 1 or frozenset(one.between) in pairs:
            yield Fault("a correlation of two parameters, each pair once", (*path, "between"), "another pair")
            clean = False
        pairs.append(frozenset(one.between))
    if clean:
        try:
            mixing([(*one.between, coherent(one.value)) for one in part.correlations])
        except NotTogether as caught:
            message = f"the correlation of {' and '.join(caught.pair)} cannot be together with the others"
            place = ("correlations", pairs.index(frozenset(caught.pair)))
            yield Fault(message, place, "a positive definite matrix: smaller correlations")
