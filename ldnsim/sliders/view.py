"""One view of a scenario: positions of the sliders, and what is shown; its figures, tables, and the code for them.

Pure functions: positions in, figures and texts out. `panel` displays them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ldnsim.dosing.regimen import DAY, planned_doses
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.fields import hours
from ldnsim.foundation.units import coherent
from ldnsim.library.files import library
from ldnsim.metrics.outputs import output_of
from ldnsim.metrics.summary import summarize
from ldnsim.model.baselines import DRUG_FREE
from ldnsim.model.output_kinds import kind_named
from ldnsim.plots import last_day, time_course
from ldnsim.plots.curves import title_of
from ldnsim.report.comparison import comparison
from ldnsim.report.page_tables import metrics_tables
from ldnsim.report.rendering import rendered
from ldnsim.scenario.changes import resolve
from ldnsim.simulation.provenance import shown_outputs
from ldnsim.simulation.sampling import sample_times
from ldnsim.simulation.simulate import simulate
from ldnsim.sliders.controls import SliderSpec

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["View", "accounts_of", "code", "figures", "moved", "outputs_of", "result_of", "table"]

Span = Literal["day", "course"]

MAKERS = {"day": "last_day", "course": "time_course"}


@dataclass(frozen=True)
class View:
    """The scenario as it was opened, the positions of its sliders, and what is shown: accounts, outputs, span."""

    scenario: Scenario
    accounts: tuple[str, ...]
    outputs: tuple[str, ...]
    span: Span = "day"
    positions: Mapping[SliderSpec, float] = field(default_factory=dict)


def moved(view: View) -> Scenario:
    """The scenario of the view; raises LdnsimError for invalid positions, or if no account or output is chosen."""
    for chosen, what in ((view.accounts, "account"), (view.outputs, "output")):
        if not chosen:
            raise LdnsimError(f"No {what} is chosen; expected at least one.")
    return _with_accounts(view).with_changes(_changes(view))


def result_of(view: View) -> xr.Dataset:
    """The result that the view shows. For the last day only its samples are taken, which is faster."""
    scenario = moved(view)
    times = sample_times(scenario, resolve(scenario))
    if view.span == "day":
        times = times[times >= _first_needed(scenario)]
    return simulate(scenario, times=times.tolist())


def _first_needed(scenario: Scenario) -> float:
    """The first time that metrics need, h: the start of the window, or the last dose if that is earlier."""
    resolved = resolve(scenario)
    duration = hours(resolved.duration)
    last_doses = [planned_doses(arm, duration, scenario.start_day)[-1:] for arm in resolved.arms.values()]
    start = coherent(scenario.window[0]) if scenario.window else (duration // DAY - 1) * DAY
    return max(0.0, min([start, *(dose.time for doses in last_doses for dose in doses)]))


def outputs_of(scenario: Scenario) -> dict[str, bool]:
    """The outputs, in the order of the scenario, and whether each is shown at first: opioid tone (or another endogenous
    output) and blockade; without these, the first output."""
    shown = shown_outputs(scenario)
    endogenous = sorted(
        (name for name in shown if kind_named(shown[name].kind).says_tone),
        key=lambda name: shown[name].relative_to != DRUG_FREE,
    )
    blockade = [name for name in shown if kind_named(shown[name].kind).is_blockade]
    first = [*endogenous[:1], *blockade[:1]] or list(shown)[:1]
    return {
        name: name in first
        for name in sorted(shown, key=lambda name: (name not in first, kind_named(shown[name].kind).is_blockade))
    }


def figures(view: View, result: xr.Dataset) -> Iterator[go.Figure]:
    """A figure for each output chosen, one after the other."""
    draw = last_day if view.span == "day" else time_course
    for output in view.outputs:
        yield draw(result, output, people=0)  # single people would take most of the time


def table(view: View, result: xr.Dataset) -> str:
    """The metrics of the outputs chosen, as HTML tables."""
    # metrics of endogenous outputs need the blockade
    wanted = [name for name in result.data_vars if not _left_out(view, result, str(name))]
    titles = {str(arm): title_of(result, "arm", str(arm)) or str(arm) for arm in result["arm"].values}
    shown = [found for found in comparison(summarize(result[wanted])) if found.output in view.outputs]
    return rendered("metrics_tables", tables=metrics_tables(shown, titles))


def _left_out(view: View, result: xr.Dataset, name: str) -> bool:
    """Whether a variable is an output (or the twin of one) that is not shown."""
    data = result[name]
    chosen = output_of(name) in view.outputs
    return "time" in data.dims and not chosen and not kind_named(data.attrs["kind"]).is_blockade


def code(view: View) -> str:
    """Python code that reproduces the view, with `import ldnsim` alone."""
    known = library("scenarios").get(view.scenario.name)
    same = known is not None and known.read_text(encoding="utf-8-sig") == view.scenario.text
    where = view.scenario.name if same else f"{view.scenario.name}.yaml"
    lines = ["import ldnsim as ldn", "", f"scenario = ldn.load_scenario({where!r})"]
    if view.accounts != accounts_of(view.scenario):
        lines.append(f"scenario = scenario.model_copy(update={{'accounts': {view.accounts!r}}})")
    changes = {**view.scenario.changes, **_changes(view)}
    if changes:
        caption = "".join(f"\n    {address!r}: {value!r}," for address, value in changes.items())
        lines.append(f"scenario = scenario.with_changes({{{caption}\n}})")
    lines += ["result = ldn.simulate(scenario)", "table = ldn.summarize(result)"]
    lines += [f"ldn.plots.{MAKERS[view.span]}(result, {output!r}).show()" for output in view.outputs]
    return "\n".join(line.replace("'", '"') for line in lines) + "\n"


def accounts_of(scenario: Scenario) -> tuple[str, ...]:
    """The accounts that a scenario compares: those it names, else all of its model."""
    return tuple(scenario.accounts) or tuple(scenario.model.accounts) or (scenario.model.name,)


def _with_accounts(view: View) -> Scenario:
    same = view.accounts == accounts_of(view.scenario)
    return view.scenario if same else view.scenario.model_copy(update={"accounts": view.accounts})


def _changes(view: View) -> dict[str, str | float]:
    """Address -> new value, of all sliders that were moved; a switch that is off overrides a slider."""
    last = sorted(view.positions, key=lambda spec: spec.kind == "switch")
    return {spec.address: spec.change(view.positions[spec]) for spec in last if _is_moved(spec, view.positions[spec])}


def _is_moved(spec: SliderSpec, position: float) -> bool:
    """Whether a slider was moved; digits that a slider loses do not count."""
    return spec.change(position) != spec.change(spec.start)
