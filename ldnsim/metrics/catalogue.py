"""All metrics by name: the families are loaded when somebody first asks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ldnsim.metrics import families
from ldnsim.metrics.registry import METRICS, Metric

if TYPE_CHECKING:
    from ldnsim.model.output_kinds import OutputKind

__all__ = ["all_metrics", "metric_named", "metrics_of"]


def all_metrics() -> dict[str, Metric]:
    """name -> metric, in the order in which tables have them."""
    _load_families()
    return dict(METRICS)


def metric_named(name: object) -> Metric | None:
    """The metric of this name; None where nobody registered one, as in a table of a newer version."""
    _load_families()
    return METRICS.get(str(name))


def metrics_of(kind: OutputKind) -> Iterator[Metric]:
    """The metrics that `summarize` computes for outputs of a kind, in order."""
    return (found for found in all_metrics().values() if found.in_tables and found.is_for(kind))


@cache
def _load_families() -> None:
    for module in sorted(iter_modules(families.__path__), key=lambda found: found.name):
        import_module(f"{families.__name__}.{module.name}")
