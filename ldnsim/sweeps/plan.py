"""The plan of a sweep, checked and laid out before it starts: cells, blocks, variables, attributes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ldnsim.dosing.regimen import DAY
from ldnsim.foundation.errors import Fault, LdnsimError, nearest
from ldnsim.foundation.fields import hours
from ldnsim.metrics.attributes import EVIDENCE, evidence_tags
from ldnsim.metrics.outputs import output_of
from ldnsim.metrics.summary import summarize
from ldnsim.model.records import weakest
from ldnsim.scenario.changes import Resolved, resolve
from ldnsim.simulation.people import everyone
from ldnsim.simulation.provenance import notes_of, package_version, provenance, shown_outputs, window_of
from ldnsim.simulation.result import Request, output_attributes
from ldnsim.simulation.sampling import sample_times
from ldnsim.simulation.simulate import simulate
from ldnsim.sweeps.cells import CELL, Cells
from ldnsim.sweeps.layout import Block, Layout, layout_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from ldnsim.engine import choose
    from ldnsim.scenario.scenario import Scenario

__all__ = ["ABSENT", "PENDING", "UNFIT", "Keep", "ResultVariable", "SweepPlan", "plan_of"]

Keep = Literal["metrics", "quantiles", "courses"]
PENDING, ABSENT, UNFIT = -1, -2, -3  # statuses in addition to those of the solver
STATES = {PENDING: "not_yet_computed", ABSENT: "not_in_the_population", UNFIT: "changes_do_not_go_together"}
MAX_PROBES = 200  # cells that are checked before the start
MAX_NOTES = 20
MAX_TIMES = 20_000
TEXT_SIZE = 8  # mean bytes of a reason on disk: most are empty, the others compressed


@dataclass(frozen=True)
class ResultVariable:
    """One variable of the result: its dims, its dtype ("f8", "i1", or "O" for strings), its attributes."""

    dims: tuple[str, ...]
    kind: str
    attrs: dict[str, Any]

    @property
    def fill(self) -> Any:
        return {"f8": np.nan, "i1": PENDING, "O": ""}[self.kind]

    @property
    def size(self) -> int:
        """Bytes of one entry."""
        return {"f8": 8, "i1": 1, "O": TEXT_SIZE}[self.kind]


@dataclass(frozen=True)
class SweepPlan:
    """Everything that workers need; a plan gives the same arrays anywhere. `sizes` are the lengths of all dims."""

    scenario: Scenario
    cells: Cells
    layout: Layout
    keep: Keep
    times: np.ndarray | None
    rtol: float
    solver: choose.SolverName
    sizes: dict[str, int]
    variables: dict[str, ResultVariable]
    coords: dict[str, Any]
    attrs: dict[str, Any]

    def cell_scenario(self, cell: int) -> Scenario:
        """The scenario of one cell; its changes are not checked."""
        return changed(self.scenario, self.cells.changes(cell))

    def empty_arrays(self, block: Block) -> dict[str, np.ndarray]:
        """Empty arrays for a block, of dims (cells, account, arm, subject, ...)."""
        lengths = {**self.sizes, "subject": len(block.subjects)}
        return {
            name: np.full(
                (len(block.cells), *(lengths[dim] for dim in self.with_people(variable))), variable.fill, variable.kind
            )
            for name, variable in self.variables.items()
        }

    def with_people(self, variable: ResultVariable) -> list[str]:
        """The dims beyond those of cells, always with `subject`, also if the result lacks that dim."""
        dims = [dim for dim in variable.dims if dim not in self.cells.dims]
        if "subject" not in dims:
            dims.insert(dims.index("arm") + 1 if "arm" in dims else dims.index("account") + 1, "subject")
        return dims

    def shaped(self, name: str, array: np.ndarray, block: Block) -> np.ndarray:
        """An array of `empty_arrays`, reshaped to the dims of its variable."""
        variable = self.variables[name]
        if "subject" not in variable.dims:
            array = array.take(0, axis=1 + self.with_people(variable).index("subject"))
        return array.reshape(*(span.stop - span.start for span in block.spans), *array.shape[1:])

    def region(self, name: str, block: Block) -> tuple[slice, ...]:
        """The region of a variable that a block fills."""
        people = slice(block.subjects.start - 1, block.subjects.stop - 1)
        spans = dict(zip(self.cells.dims, block.spans, strict=True)) | {"subject": people}
        return tuple(spans.get(dim, slice(None)) for dim in self.variables[name].dims)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self.sizes[dim] for dim in self.variables[name].dims)

    @property
    def bytes(self) -> int:
        """Bytes of all variables, uncompressed."""
        return sum(
            variable.size * int(np.prod([float(self.sizes[dim]) for dim in variable.dims]))
            for variable in self.variables.values()
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What identifies a sweep; the store of a different sweep is refused."""
        swept = {name: _digest(values[1]) for name, values in self.coords.items() if name not in ("account", "arm")}
        return {
            "scenario": self.scenario.name,
            "question and arms": _digest(self.scenario.model_dump_json(exclude={"model", "sweep", "design"})),
            "model": self.attrs["model_hash"],
            "changes": self.attrs["changes"],
            "axes": json.dumps(swept),
            "people": self.layout.people,
            "keep": self.keep,
            "rtol": self.rtol,
            "solver": self.solver,
            "version of ldnsim": package_version(),
            "blocks": [*self.layout.chunk, self.layout.stretch],
        }


def changed(scenario: Scenario, changes: dict[str, Any]) -> Scenario:
    """The scenario with further changes, in the order of `Scenario.with_changes`, unchecked."""
    kept = {address: value for address, value in scenario.changes.items() if address not in changes}
    return scenario.model_copy(update={"changes": {**kept, **changes}})


def plan_of(
    scenario: Scenario,
    cells: Cells,
    *,
    keep: Keep = "metrics",
    times: Sequence[float] | None = None,
    rtol: float = 1e-6,
    solver: choose.SolverName = "native",
) -> SweepPlan:
    """The plan of a sweep over cells; raises LdnsimError if no cell is valid."""
    if keep not in get_args(Keep):
        raise LdnsimError(
            Fault(
                f"cannot keep {keep!r}", expected=", ".join(get_args(Keep)), nearest=nearest(str(keep), get_args(Keep))
            )
        )
    if times is not None and keep != "courses":
        raise LdnsimError(Fault("times are for courses", expected="keep='courses', or no times"))
    probes = _probes(scenario, cells)
    first, resolved = probes[0]
    if keep == "quantiles" and resolved.population is None:
        raise LdnsimError(Fault("quantiles over people need a population", expected="population: {size: 200}"))
    people = _most_people(cells, probes)
    small = simulate(first, subjects=range(1, 2), rtol=rtol, solver=solver)
    at = None
    if keep == "courses":
        at = _common_times(scenario, cells, times)
        within = at[: np.searchsorted(at, hours(resolved.duration), "right")]
        small = simulate(first, times=within.tolist(), subjects=range(1, 2), rtol=rtol, solver=solver)
        small = small.drop_dims(["piece", "node"], errors="ignore")  # courses are kept at their sample times
    table = small if keep == "courses" else summarize(small)
    shown = shown_outputs(scenario)
    labels = {name: _tags(name, scenario, probes) for name in shown}
    variables = {}
    for name, data in table.data_vars.items():
        if str(name) == "dose_input":
            continue  # the scenario says which input it was
        tags = labels.get(str(data.attrs.get("output", output_of(name))), {})
        attrs = dict(data.attrs)
        if EVIDENCE in attrs:
            attrs |= {key: weakest((tag, attrs.get(key, tag))) for key, tag in tags.items()}
        if name == "status":
            attrs["flag_values"] = [*STATES, *attrs["flag_values"]]
            attrs["flag_meanings"] = " ".join([*STATES.values(), attrs["flag_meanings"]])
        kind = {"f": "f8", "i": "i1"}.get(data.dtype.kind, "O")
        variables[str(name)] = ResultVariable((*cells.dims, *map(str, data.dims)), kind, attrs)
    rows = len(resolved.settings) * len(resolved.arms)
    looked_at = small.sizes["time"] if keep == "courses" else small.sizes["piece"] * small.sizes["node"]
    layout = layout_of(cells.shape, people, rows, looked_at * len(shown))
    # values drawn for a person differ between cells, so only a run of one cell has them
    labels_of = {str(name): coord for name, coord in table.coords.items() if "subject" not in coord.dims}
    coords = {name: (coord.dims, coord.to_numpy(), dict(coord.attrs)) for name, coord in labels_of.items()}
    sizes = {**dict(zip(cells.dims, cells.shape, strict=True)), **{str(d): n for d, n in table.sizes.items()}}
    if resolved.population is not None:
        coords["subject"] = (("subject",), np.arange(1, people + 1), {"long_name": "Subject of the population"})
    if at is not None:  # the first cell may be shorter than others
        sizes["dose"], sizes["time"] = max(_most_doses(scenario, cells), 1), len(at)
        for name, values in (("time", at), ("clock_time", at % DAY)):
            coords[name] = (("time",), values, coords[name][2])
    sizes["subject"] = people
    coords = {**cells.coordinates(), **coords}
    attrs = _attributes(scenario, cells, probes, small)
    return SweepPlan(scenario, cells, layout, keep, at, rtol, solver, sizes, variables, coords, attrs)


def _probes(scenario: Scenario, cells: Cells) -> list[tuple[Scenario, Resolved]]:
    """A sample of cells with their changes applied; raises LdnsimError if none is valid."""
    found: list[tuple[Scenario, Resolved]] = []
    faults: list[Fault] = []
    for cell in cells.probes(MAX_PROBES):
        one = changed(scenario, cells.changes(cell))
        try:
            found.append((one, resolve(one)))
        except LdnsimError as caught:
            faults += caught.faults
    if not found:
        raise LdnsimError(faults)
    return found


def _most_people(cells: Cells, probes: list[tuple[Scenario, Resolved]]) -> int:
    """The largest number of people in any cell."""
    sizes = [everyone(resolved)[-1] for _, resolved in probes]
    for axis in cells.axes:
        if axis.address == "population.size":
            sizes += [int(float(size)) for size in axis.coordinate()[0] if str(size)[:1].isdigit()]
    return max(sizes)


def _common_times(scenario: Scenario, cells: Cells, times: Sequence[float] | None) -> np.ndarray:
    """Sample times of courses: those given, or the union of the sample times of all cells."""
    if times is not None:
        at = np.unique(np.asarray(times, float))
        if not at.size or not np.all(np.isfinite(at)) or at[0] < 0:
            raise LdnsimError("The sample times must be a list of finite hours, 0 or above.")
        return at
    found: np.ndarray = np.empty(0)
    for cell in range(len(cells)):
        one = changed(scenario, cells.changes(cell))
        try:
            found = np.union1d(found, sample_times(one, resolve(one)))
        except LdnsimError:
            continue
        if len(found) > MAX_TIMES:
            message = f"the cells have more than {MAX_TIMES:,} different sample times"
            raise LdnsimError(Fault(message, expected="times=..., or sample: 1 h in the scenario"))
    return found


def _most_doses(scenario: Scenario, cells: Cells) -> int:
    from ldnsim.dosing.regimen import planned_doses

    most = 0
    for cell in range(len(cells)):
        one = changed(scenario, cells.changes(cell))
        try:
            resolved = resolve(one)
        except LdnsimError:
            continue
        counts = [len(planned_doses(arm, hours(resolved.duration), one.start_day)) for arm in resolved.arms.values()]
        most = max(most, *counts)
    return most


def _tags(name: str, scenario: Scenario, probes: list[tuple[Scenario, Resolved]]) -> dict[str, Any]:
    """The weakest evidence tags of an output over all structures in the sweep."""
    found: dict[str, Any] = {}
    seen = set()
    output = scenario.model.outputs[name]
    for one, resolved in probes:
        structure = tuple(tuple(map(id, setting.parts.values())) for setting in resolved.settings)
        if structure in seen:
            continue
        seen.add(structure)
        request = Request(one, resolved, range(1, 2), {}, np.empty(0), {})
        for key, tag in evidence_tags(output_attributes(name, output, request)).items():
            found[key] = weakest((tag, found.get(key, tag)))
    return found


def _attributes(
    scenario: Scenario, cells: Cells, probes: list[tuple[Scenario, Resolved]], small: xr.Dataset
) -> dict[str, Any]:
    """Provenance of the whole sweep; notes of all cells that were checked."""
    notes: dict[str, None] = {}
    windows = set()
    for one, resolved in probes:
        window = window_of(one, resolved, sample_times(one, resolved))
        windows.add(window)
        notes |= dict.fromkeys(notes_of(one, resolved, window))
    first, resolved = probes[0]
    attrs = provenance(first, resolved, small["time"].to_numpy())
    attrs |= {
        "changes": json.dumps(scenario.changes),
        "notes": list(notes)[:MAX_NOTES],
        "axes": [axis.address for axis in cells.axes],
        "design": scenario.design.model_dump_json() if cells.dims == (CELL,) else '{"kind":"grid"}',
    }
    if len(windows) > 1:
        del attrs["window"]  # it differs between cells
    else:
        attrs["window"] = list(windows.pop())
    return attrs


def _digest(found: Any) -> str:
    text = found if isinstance(found, str) else json.dumps(np.asarray(found).tolist())
    return hashlib.sha256(text.encode()).hexdigest()[:16]
