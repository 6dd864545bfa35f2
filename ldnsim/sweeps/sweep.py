"""`ldnsim.sweep`: every cell of a design, planned, computed and stored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from ldnsim.engine.native import cores
from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.schema_faults import faults_of
from ldnsim.scenario.changes import axis_faults, resolve
from ldnsim.scenario.design import Design, SweepAxis
from ldnsim.sweeps.blocks import BlockComputer, compute_block
from ldnsim.sweeps.cells import cells_of
from ldnsim.sweeps.cluster import compute_remotely, connected, pickled_plan
from ldnsim.sweeps.forecast import forecast
from ldnsim.sweeps.memory import Memory
from ldnsim.sweeps.plan import Keep, SweepPlan, plan_of
from ldnsim.sweeps.progress import Bar, Silent, has_display
from ldnsim.sweeps.quantiles import over_cells, restored, summarise_store
from ldnsim.sweeps.running import run, threads
from ldnsim.sweeps.shards import Shard, shard_of
from ldnsim.sweeps.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.engine import choose
    from ldnsim.scenario.scenario import Scenario

__all__ = ["sweep"]

MAX_REPORTED = 5  # failed blocks
AXES: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, SweepAxis])


def sweep(  # noqa: PLR0913 - keyword arguments, most with a default
    scenario: Scenario,
    axes: Mapping[str, Any] | None = None,
    *,
    design: Mapping[str, Any] | Design | None = None,
    keep: Keep = "metrics",
    times: Sequence[float] | None = None,
    store: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shard: str | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
    progress: bool | None = None,
) -> xr.Dataset:
    """Run a scenario in every cell of a design, for all its people, accounts and arms.

    Each cell gives the same numbers, to the bit, as a run of that cell alone, whatever the blocks and workers.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    axes : mapping, optional
        Address -> list of values, or a range such as `{"from": "1 mg", "to": "6 mg", "scale": "log"}` (in a grid, also
        with `points`). Default: axes and design of the scenario.
    design : mapping or Design, optional
        `{"kind": "grid"}` (default), "list", "latin_hypercube", "sobol" or "random", the last three with `cells` and
        `seed`. The axes of a grid become dims named by their addresses; other designs have one dim `cell`, with the
        values as its coordinates.
    keep : {"metrics", "quantiles", "courses"}
        What is stored: the metrics of `summarize` for each person, their quantiles over people, or time courses.
    times : sequence of float, optional
        Sample times of courses, h since midnight of day 1. Default: the union of all sample times of the cells.
    store : path, optional
        A Zarr directory, written block by block. The same call continues an interrupted sweep; the store of a different
        sweep is refused.
    workers : int, optional
        Number of threads; default: one per core.
    scheduler : str, optional
        Address of a Dask scheduler, whose workers are used in place of threads.
    shard : str, optional
        A part of the sweep, such as "3/16": every sixteenth block, from the third on, in a store of its own;
        `merge_shards` joins them.
    rtol : float
        Relative tolerance of the solver.
    solver : {"native", "reference"}
        Compiled solver, or the reference solver.
    progress : bool, optional
        Whether to show a progress bar; default: on a terminal and in notebooks.

    Returns
    -------
    xarray.Dataset
        Metrics of dims (axes, account, arm[, subject or quantile]), each with `units`; or courses of dims (axes,
        account, arm[, subject], time). A cell without a solution is NaN, and its `status` and `reason` say why.

    Raises
    ------
    LdnsimError
        Before the run starts, for axes that change nothing, are empty or invalid, for a sweep too large for memory or
        disk, and for a scheduler that does not answer. At the end, for blocks that failed.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> scenario = ldn.load_scenario("night_vs_morning")
    >>> grid = ldn.sweep(scenario, {"night.dose": ["1.5 mg", "3 mg", "4.5 mg"]}, progress=False)
    >>> grid["opioid_tone_mean"].sel(account="pet_pool", arm="night").round(3).values.tolist()
    [0.697, 0.56, 0.473]
    """
    part = _checked(workers, scheduler, shard, store)
    asked = with_sweep(scenario, axes, design)
    plan = plan_of(asked, cells_of(asked), keep=keep, times=times, rtol=rtol, solver=solver)
    return execute(plan, store=store, workers=workers, scheduler=scheduler, shard=part, progress=progress)


def _checked(workers: int | None, scheduler: str | None, shard: str | None, store: str | Path | None) -> Shard | None:
    """The requested shard; raises LdnsimError for invalid options of how to run."""
    faults: list[Fault] = []
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        faults.append(Fault(f"{workers!r} workers", expected="a whole number, 1 or above"))
    if workers is not None and scheduler:
        faults.append(Fault("workers together with a scheduler", expected="one of them; a cluster has its own workers"))
    part = None
    if shard:
        try:
            part = shard_of(shard)
        except LdnsimError as caught:
            faults += caught.faults
        if store is None:
            faults.append(Fault("a shard without a store", expected="store=..., to be merged with the other shards"))
    if faults:
        raise LdnsimError(faults)
    return part


def with_sweep(
    scenario: Scenario, axes: Mapping[str, Any] | None = None, design: Mapping[str, Any] | Design | None = None
) -> Scenario:
    """The scenario with the given axes and design; raises LdnsimError if they are invalid."""
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
    faults += axis_faults(changed)
    if changed.uncertainty is not None:
        expected = "`ldnsim.sweep_draws`, no uncertainty, or axes over these parameters"
        faults.append(Fault("a sweep does not draw uncertain parameters", ("uncertainty",), expected, at_key=True))
    if faults:
        raise LdnsimError(faults)
    return changed


def execute(
    plan: SweepPlan,
    *,
    store: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shard: Shard | None = None,
    progress: bool | None = None,
) -> xr.Dataset:
    """The result of a plan, in memory or in a store; see `sweep`."""
    path = None if store is None else Path(store)
    if path is not None and shard is not None:
        path = shard.path(path)
    if path is not None:
        restored(path)
    with connected(scheduler) if scheduler else threads(workers or cores()) as (executor, many):
        share = len(plan.layout) if shard is None else -(-len(plan.layout) // shard.count)
        if path is None or not path.exists():
            forecast(plan, share, many, path)  # refuse before anything is written
        mine = [number for number in range(len(plan.layout)) if shard is None or shard.has(number)]
        sink = Memory(plan) if path is None else Store(path, plan, str(shard or ""))
        done = sink.done
        todo = [number for number in mine if number not in done]
        expected = forecast(plan, len(todo), many, path)
        if scheduler:
            work: Any = partial(compute_remotely, pickled_plan(plan), as_chunks=path is not None)
        else:  # with few blocks, each uses several threads of the solver
            each = max(1, many // max(1, len(todo)))
            work = partial(compute_block, BlockComputer(plan), threads=each, as_chunks=path is not None)
        watched = has_display() if progress is None else progress
        with Bar(expected, many, len(mine) - len(todo), len(mine)) if watched and todo else Silent() as watcher:
            failed = run(map(plan.layout.block, todo), work, sink, executor, many, watcher)
    if failed:
        again = "" if path is None else "the same command, which tries them again"
        raise LdnsimError(
            Fault(f"block {number + 1} of {len(plan.layout)} failed: {reason}", expected=again)
            for number, reason in list(failed.items())[:MAX_REPORTED]
        )
    if plan.keep == "quantiles" and shard is None:
        if path is None:
            return over_cells(sink.dataset())
        if not sink.summarised:
            summarise_store(path)
    return sink.dataset()
