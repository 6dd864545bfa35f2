"""A block -> its arrays: its cells as in a single run, with all cells of equal length and window solved together."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.metrics.measuring import Curves, measured
from ldnsim.metrics.outputs import twin_name
from ldnsim.metrics.summary import judged
from ldnsim.model.output_kinds import kind_named
from ldnsim.scenario.changes import Resolved
from ldnsim.simulation.dose_variables import dose_amounts, dose_times
from ldnsim.simulation.people import doses_of, everyone
from ldnsim.simulation.provenance import shown_outputs, window_of
from ldnsim.simulation.recording import has_twin
from ldnsim.simulation.solve import Case, Courses, RunSettings, inputs_of, silent_arms, solve
from ldnsim.sweeps.plan import ABSENT, UNFIT, SweepPlan
from ldnsim.sweeps.store import encoded

if TYPE_CHECKING:
    from ldnsim.dosing.regimen import Dose
    from ldnsim.scenario.scenario import Scenario
    from ldnsim.sweeps.layout import Block

__all__ = ["BlockComputer", "compute_block"]

MAX_CELLS_CACHED = 2_048  # cells whose resolved scenario is cached, for their next people
Members = list[tuple[int, Case]]  # a cell's place in its block, and its case


class BlockComputer:
    """Computes the blocks of one plan, on any number of threads."""

    def __init__(self, plan: SweepPlan) -> None:
        self.plan = plan
        self._shown = shown_outputs(plan.scenario)
        self._resolved = lru_cache(MAX_CELLS_CACHED)(self._apply)

    def arrays(self, block: Block, threads: int | None = 1) -> dict[str, np.ndarray]:
        """Every variable of the plan over the block. The bits do not depend on `threads` or block size."""
        plan = self.plan
        arrays = plan.empty_arrays(block)
        batches: dict[Any, tuple[np.ndarray, tuple[float, float] | None, range, Members]] = {}
        doses: dict[Any, list[tuple[Dose, ...]]] = {}
        for at, cell in enumerate(block.cells):
            found = self._resolved(cell)
            if isinstance(found, str):
                arrays["status"][at], arrays["reason"][at] = UNFIT, found
                continue
            scenario, resolved = found
            subjects = range(block.subjects.start, min(block.subjects.stop, everyone(resolved).stop))
            arrays["status"][at, ..., len(subjects) :] = ABSENT
            if not subjects:
                continue
            case = Case(resolved, self._doses(scenario, resolved, subjects, doses))
            times, window = self._times(scenario, resolved)
            batch = batches.setdefault((times.tobytes(), window, subjects.stop), (times, window, subjects, []))
            batch[3].append((at, case))
        for times, window, subjects, members in batches.values():
            look = RunSettings(plan.scenario, subjects, times, self._shown, plan.rtol, plan.solver, threads, window)
            courses = solve(look, [case for _, case in members])
            if plan.keep == "courses":
                self._keep_courses(arrays, look, members, courses)
            else:
                self._keep_metrics(arrays, look, members, courses)
        return {name: plan.shaped(name, array, block) for name, array in arrays.items()}

    def _apply(self, cell: int) -> tuple[Scenario, Resolved] | str:
        """The scenario of a cell, and the same with its changes applied; or the reason why they cannot be applied."""
        scenario = self.plan.cell_scenario(cell)
        try:
            return scenario, self.plan.cells.resolved(cell, scenario)
        except LdnsimError as caught:
            return "; ".join(f"{'.'.join(map(str, fault.path[1:]))}: {fault.message}" for fault in caught.faults)

    def _doses(
        self, scenario: Scenario, resolved: Resolved, subjects: range, known: dict[Any, list[tuple[Dose, ...]]]
    ) -> dict[str, list[tuple[Dose, ...]]]:
        """Doses by arm; equal arms of several cells share one list, so that they are solved once."""
        found = {}
        for name, arm in resolved.arms.items():
            key = (name, arm.model_dump_json(), resolved.duration, repr(resolved.population), subjects.stop)
            if key not in known:
                known[key] = doses_of(scenario, resolved, name, subjects)
            found[name] = known[key]
        return found

    def _times(self, scenario: Scenario, resolved: Resolved) -> tuple[np.ndarray, tuple[float, float] | None]:
        """Sample times, and the window of metrics: for these, nothing but the ends of the run is sampled."""
        duration = hours(resolved.duration)
        if self.plan.times is not None:
            return self.plan.times[self.plan.times <= duration], None
        times = np.array([0.0, duration])
        return times, window_of(scenario, resolved, times)

    def _keep_metrics(self, arrays: dict[str, np.ndarray], look: RunSettings, members: Members, found: Courses) -> None:
        assert found.recorded is not None
        assert look.window is not None
        status = found.status
        people = status.shape[-1]
        outputs, model = {}, look.scenario.model
        doses = lru_cache(lambda inputs: _doses_by_row(members, status.shape, inputs))
        for name, output in look.shown.items():
            about = tuple(inputs_of(name, output, model, members[0][1].resolved.settings))
            values, twin = found.recorded.values[name], found.recorded.twins.get(name)
            outputs[name] = Curves(values, twin, kind_named(output.kind), output.relative_to, doses(about))
        first_of = np.broadcast_to(np.arange(status.size).reshape(status.shape)[:, :, :1], status.shape).reshape(-1)
        silent = np.zeros(status.shape, bool)
        for at, (_, case) in enumerate(members):
            silent[at, :, silent_arms(look.scenario, case.resolved)] = True
        unsolved = None
        if status.any():
            unsolved = np.where(status != 0, "not solved: " + found.reason, "").astype(object).reshape(-1)
        places = [at for at, _ in members]
        self._keep_status(arrays, places, found)
        for of_rows in measured(found.recorded.mesh, outputs, look.window, first_of):
            name = f"{of_rows.output}_{of_rows.metric}"
            withheld = silent.reshape(-1) if outputs[of_rows.output].kind.needs_mechanism else None
            values, reason = judged(of_rows, unsolved, withheld)
            arrays[name][places, :, :, :people] = values.reshape(status.shape)
            if reason is not None and f"{name}_reason" in arrays:
                arrays[f"{name}_reason"][places, :, :, :people] = reason.reshape(status.shape)

    def _keep_courses(self, arrays: dict[str, np.ndarray], look: RunSettings, members: Members, found: Courses) -> None:
        places, people, size = [at for at, _ in members], len(look.subjects), len(look.times)
        self._keep_status(arrays, places, found)
        for name, output in look.shown.items():
            arrays[name][places, :, :, :people, :size] = found.values[name]
            if has_twin(output):
                arrays[twin_name(name)][places, :, :people, :size] = found.twins[name]
        for at, case in members:
            for arm, taken in enumerate(case.doses.values()):
                for name, values in zip(
                    ("dose_time", "dose_amount"), dose_amounts(look.scenario.model, taken), strict=True
                ):
                    arrays[name][at, arm, :people, : values.shape[1]] = values

    @staticmethod
    def _keep_status(arrays: dict[str, np.ndarray], places: list[int], found: Courses) -> None:
        people = found.status.shape[-1]
        arrays["status"][places, :, :, :people] = found.status
        if found.status.any():
            arrays["reason"][places, :, :, :people] = found.reason


def compute_block(computer: BlockComputer, number: int, *, threads: int, as_chunks: bool) -> Any:
    """The result of a block: arrays, or the content of chunk files."""
    block = computer.plan.layout.block(number)
    arrays = computer.arrays(block, threads)
    return encoded(computer.plan, block, arrays) if as_chunks else arrays


def _doses_by_row(members: Members, shape: tuple[int, ...], inputs: tuple[str, ...]) -> np.ndarray:
    """Times (rows, doses), h, of the nonzero doses of some inputs in each row, padded with NaN."""
    known: dict[int, np.ndarray] = {}
    for _, case in members:
        for doses in case.doses.values():
            if id(doses) not in known:
                known[id(doses)] = dose_times(doses, inputs=inputs)
    most = max(1, *(times.shape[1] for times in known.values()))
    found = np.full((*shape, most), np.nan)
    for at, (_, case) in enumerate(members):
        for arm, doses in enumerate(case.doses.values()):
            found[at, :, arm, :, : known[id(doses)].shape[1]] = known[id(doses)]
    return found.reshape(-1, most)
