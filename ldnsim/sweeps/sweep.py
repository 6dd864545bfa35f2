"""`ldnsim.sweep`: every cell of a design, laid out, worked on and kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from ldnsim.addresses import axis_faults, resolve
from ldnsim.design import Design, SweepAxis
from ldnsim.engine.native import cores
from ldnsim.errors import Fault, LdnsimError, Lost
from ldnsim.misfits import faults_of
from ldnsim.sweeps.blocks import Bench
from ldnsim.sweeps.cells import cells_of
from ldnsim.sweeps.forecast import forecast
from ldnsim.sweeps.memory import Memory
from ldnsim.sweeps.plan import Keep, Plan, plan_of
from ldnsim.sweeps.progress import Bar, Silent, somebody_watches
from ldnsim.sweeps.running import local_threads, run
from ldnsim.sweeps.store import Store, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.engine import choose
    from ldnsim.scenario import Scenario

__all__ = ["sweep"]

AXES: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, SweepAxis])


def sweep(  # noqa: PLR0913 - names, all of them, and most with a default
    scenario: Scenario,
    axes: Mapping[str, Any] | None = None,
    *,
    design: Mapping[str, Any] | Design | None = None,
    keep: Keep = "metrics",
    times: Sequence[float] | None = None,
    store: str | Path | None = None,
    workers: int | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
    progress: bool | None = None,
) -> xr.Dataset:
    """Every cell of a design over any addresses, for all people, accounts and arms of the scenario.

    `axes` maps addresses to lists of values or to ranges (`{"from": "1 mg", "to": "6 mg", "scale": "log"}`; a grid
    also wants `points`), `design` is `{"kind": "grid"}` (default), `list`, `latin_hypercube`, `sobol` or `random` with
    `cells` and `seed`; without `axes` both are the scenario's own. Axes of a grid become dims with the name of their
    address; other designs have one dim `cell`, and the values as its coordinates.

    `keep` is what is stored of each person: "metrics" as `summarize` gives them, "quantiles" of these over people, or
    "courses" as `simulate` gives them (at `times`, h, or wherever any of the cells would be looked at by itself). All
    are the same, to the bit, as of each cell alone, whatever the blocks and workers.

    With `store`, a path, blocks are written to a Zarr directory as they are done; called again with the same
    arguments, it goes on where it stopped, and a store of another sweep is refused. A cell that cannot be solved stays
    in the result with its `status` and `reason`. `workers` are threads (None: one per core).

    Raises LdnsimError, before any work, for axes that move nothing, are empty or do not fit, and for what is too large
    for memory or disk.
    """
    asked = with_sweep(scenario, axes, design)
    _check_workers(workers)
    plan = plan_of(asked, cells_of(asked), keep=keep, times=times, rtol=rtol, solver=solver)
    return carried_out(plan, store=store, workers=workers, progress=progress)


def with_sweep(
    scenario: Scenario, axes: Mapping[str, Any] | None = None, design: Mapping[str, Any] | Design | None = None
) -> Scenario:
    """The scenario with other axes and another design, both sound; raises LdnsimError where they are not."""
    faults: list[Fault] = []
    update: dict[str, Any] = {}
    given = design.model_dump() if isinstance(design, Design) else design
    for name, adapter, value in (("sweep", AXES, axes), ("design", TypeAdapter(Design), given)):
        if value is not None:
            try:
                update[name] = adapter.validate_python(dict(value))
            except ValidationError as caught:
                faults += (fault.under(name) for fault in faults_of(caught))
    if faults:
        raise LdnsimError(faults)
    if axes is not None and design is None:
        update["design"] = Design()
    changed = scenario.model_copy(update=update)
    resolved = resolve(changed)
    if not changed.sweep and (resolved.population is None or axes is not None):
        message = "an empty sweep" if axes is not None else "there is nothing to sweep"
        raise LdnsimError(Fault(message, ("sweep",), "axes, such as {'night.dose': ['1.5 mg', '3 mg']}"))
    faults += axis_faults(changed, Lost())
    if changed.uncertainty is not None:
        expected = "no uncertainty, or axes over the parameters"
        faults.append(Fault("a sweep does not draw what is uncertain", ("uncertainty",), expected, at_key=True))
    if faults:
        raise LdnsimError(faults)
    return changed


def carried_out(
    plan: Plan, *, store: str | Path | None = None, workers: int | None = None, progress: bool | None = None
) -> xr.Dataset:
    """A plan's result, in memory or in a store."""
    path = None if store is None else Path(store)
    many = workers or cores()
    whole = len(plan.layout)
    if path is None:
        forecast(plan, whole, many, None)
    sink = Memory(plan) if path is None else Store(path, plan)
    done = sink.done
    todo = [number for number in range(whole) if number not in done]
    expected = forecast(plan, len(todo), many, path)
    threads = max(1, many // max(1, len(todo)))  # few blocks: the solver's own threads
    work = partial(_worked, Bench(plan), threads=threads, as_chunks=path is not None)
    watched = somebody_watches() if progress is None else progress
    executor = local_threads(many)
    try:
        with Bar(expected, many, len(done), whole) if watched and todo else Silent() as watcher:
            lost = run(map(plan.layout.block, todo), work, sink, executor, many, watcher)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    if lost:
        raise LdnsimError(
            Fault(f"block {number + 1} of {whole} was lost: {reason}") for number, reason in list(lost.items())[:5]
        )
    return sink.dataset()


def _worked(bench: Bench, number: int, *, threads: int, as_chunks: bool) -> Any:
    """What a block comes to: arrays, or the content of chunk files."""
    block = bench.plan.layout.block(number)
    arrays = bench.arrays(block, threads)
    return encoded(bench.plan, block, arrays) if as_chunks else arrays


def _check_workers(workers: int | None) -> None:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise LdnsimError(Fault(f"{workers!r} workers", expected="a whole number from 1 on"))
