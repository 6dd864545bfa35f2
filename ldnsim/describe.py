"""Models and scenarios in words: parts, equations, parameters with their sources; the dose calendar of each arm.

Everything is Markdown first; the terminal and HTML render it.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ldnsim.addresses import resolve, setting_of
from ldnsim.dosing import planned_doses
from ldnsim.fields import WEEKDAYS, clock_text, hours
from ldnsim.system import compose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ldnsim.addresses import Resolved
    from ldnsim.dosing import Dose
    from ldnsim.model import Export, Model, Parameter, Part
    from ldnsim.scenario import Scenario

__all__ = ["describe_model", "describe_part", "describe_scenario"]

DAY = 24.0
MOST_LINES = 40
MODELLED = ("rate", "duration")
ON_THE_WAY = ("lag", "bioavailability", *MODELLED)


def describe_model(model: Model, bibliography: Mapping[str, str]) -> str:
    """A model as Markdown: accounts, outputs, inputs, every part, and the sources that they cite."""
    lines = [f"# {model.title} (`{model.name}` {model.version})", "", model.description, ""]
    lines += ["## Accounts", "", *_table(("account", "what it says", "parts", "own values"), _account_rows(model)), ""]
    lines += ["## Outputs", "", *_table(("output", "meaning", "unit", *model.accounts), _output_rows(model)), ""]
    lines += ["## What a dose means", ""]
    for name, product in model.inputs.items():
        ways = ", ".join(f"`{target}` x {share}" for target, share in product.to.items())
        lag = f", after `{product.lag}`" if product.lag else ""
        lag += "".join(f", {field} `{getattr(product, field)}`" for field in MODELLED if getattr(product, field))
        lines.append(f"- `{name}`: {product.title or product.drug}, {product.salt} of {product.drug}, into {ways}{lag}")
    lines += ["", "CMT of a data set is the name of an input or of a state, or the state's number:", ""]
    lines += [f"- {names}: {states}" for names, states in _compartments(model)]
    parts = [part for alternatives in model.slots.values() for part in alternatives]
    for slot, alternatives in model.slots.items():
        for part in alternatives:
            lines += ["", *_part_lines(part, f"{slot}: ")]
    return "\n".join(
        [
            *lines,
            "",
            *_source_lines(parts, bibliography, extra=[key for drug in model.drugs.values() for key in drug.source]),
        ]
    )


def describe_part(part: Part, bibliography: Mapping[str, str]) -> str:
    """One part as Markdown, with its sources."""
    return "\n".join([*_part_lines(part, ""), "", *_source_lines([part], bibliography)])


def describe_scenario(scenario: Scenario) -> str:
    """A scenario as Markdown: question, accounts, the dose calendar of each arm, and what it cannot say."""
    resolved = resolve(scenario)
    people = (
        f"{resolved.population.size} people, seed {resolved.population.seed}"
        if resolved.population
        else "one typical person"
    )
    begins = ", each arm in its steady state from the start" if scenario.start == "steady_state" else ""
    lines = [
        f"# {scenario.question}",
        "",
        f"`{scenario.name}`: model `{scenario.model.name}`, {resolved.duration}, {people}{begins}.",
        "",
        f"Reports: {', '.join(scenario.report or scenario.model.outputs)}.",
        "",
        "## Accounts",
        "",
        *(f"- `{setting.account}`: {setting.title}" for setting in resolved.settings),
        "",
        "## Arms",
    ]
    for name in resolved.arms:
        lines += ["", f"### {name}", "", *_calendar(scenario, resolved, name)]
    if scenario.sweep:
        cells = " x ".join(f"{address} ({len(values)})" for address, values in scenario.sweep.items())
        lines += ["", f"Sweep: {cells}. A run answers for the values above only."]
    if scenario.changes:
        lines += ["", "Changed: " + ", ".join(f"`{address}` = {value}" for address, value in scenario.changes.items())]
    if scenario.cannot_say:
        lines += ["", "## What it cannot say", "", scenario.cannot_say]
    return "\n".join(lines)


def _compartments(model: Model) -> Iterator[tuple[str, str]]:
    """The accounts that share a structure, and its states with the numbers that CMT of a data set may use."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name in model.accounts or (model.name,):
        states = compose(model, setting_of(model, name).parts).states
        alike.setdefault(states, []).append(f"`{name}`")
    for states, names in alike.items():
        yield ", ".join(names), ", ".join(f"{number} `{state}`" for number, state in enumerate(states, start=1))


def _account_rows(model: Model) -> Iterator[tuple[str, ...]]:
    for name, account in model.accounts.items():
        setting = setting_of(model, name)
        parts = ", ".join(part.name for slot, part in setting.parts.items() if len(model.slots[slot]) > 1)
        yield (
            f"`{name}`",
            f"{account.title}. {account.note}".strip(),
            parts,
            ", ".join(f"{a} = {v}" for a, v in account.values.items()),
        )


def _output_rows(model: Model) -> Iterator[tuple[str, ...]]:
    tags = {name: compose(model, setting_of(model, name).parts).evidence for name in model.accounts}
    ratio = {
        "drug_free": ", ratio to the drug-free twin",
        "drug_free_daily_mean": ", fold of its daily mean without drug",
        None: "",
    }
    for name, output in model.outputs.items():
        yield (
            f"`{name}`",
            output.title + ratio[output.relative_to],
            output.unit,
            *(tags[account][name] for account in tags),
        )


def _part_lines(part: Part, lead: str) -> list[str]:
    needs = ", ".join(f"`{name}` ({unit})" for name, unit in part.needs.items())
    lines = [f"## {lead}{part.title} (`{part.name}` {part.version}, {part.evidence})", ""]
    lines += [part.description, ""] if part.description else []
    lines += [f"Needs {needs}.", ""] if needs else []
    lines += ["Exports:", "", *(f"- `{name}`: {_export_text(export)}" for name, export in part.exports.items()), ""]
    lines += ["```text", part.equations.rstrip(), "```", ""]
    if part.parameters:
        heads = ("parameter", "value", "range", "CV", "source", "meaning")
        lines += _table(heads, (_parameter_row(name, parameter) for name, parameter in part.parameters.items()))
    for name, state in part.states.items():
        met = [f"{field} `{getattr(state, field)}`" for field in ON_THE_WAY if getattr(state, field)]
        if met:
            lines += ["", f"A record's dose into `{name}` meets {', '.join(met)}."]
    for name, rival in part.rivals.items():
        values = ", ".join(f"{key} = {value}" for key, value in rival.values.items())
        lines += ["", f"Rival set `{name}`: {values} ({', '.join(rival.source)}). {rival.note}"]
    return lines


def _export_text(export: Export) -> str:
    own = f" ({export.evidence}: {export.because})" if export.evidence else ""
    return export.description + own


def _parameter_row(name: str, parameter: Parameter) -> tuple[str, ...]:
    ends = " to ".join(str(end) for end in parameter.range) if parameter.range else ""
    meaning = f"{parameter.description}. {parameter.note}".strip() if parameter.note else parameter.description
    return f"`{name}`", str(parameter.value), ends, str(parameter.iiv_cv or ""), ", ".join(parameter.source), meaning


def _source_lines(parts: Iterable[Part], bibliography: Mapping[str, str], extra: Iterable[str] = ()) -> list[str]:
    keys = set(extra)
    for part in parts:
        keys |= {key for parameter in part.parameters.values() for key in parameter.source}
        keys |= {key for rival in part.rivals.values() for key in rival.source}
    return ["## Sources", "", *(f"- `{key}`: {bibliography[key]}" for key in sorted(keys & bibliography.keys()))]


def _calendar(scenario: Scenario, resolved: Resolved, arm: str) -> Iterator[str]:
    """The planned doses, equal days run together: `day 1 to 28: 4.5 mg oral at 22:00`."""
    doses = planned_doses(resolved.arms[arm], hours(resolved.duration), scenario.start_day)
    if not doses:
        yield "- no dose"
        return
    by_day = [
        (day, tuple(_dose_text(dose) for dose in taken))
        for day, taken in groupby(doses, key=lambda dose: int(dose.time // DAY) + 1)
    ]
    runs: list[tuple[int, int, int, tuple[str, ...]]] = []  # first day, last day, step, doses
    for day, taken in by_day:
        if runs and runs[-1][3] == taken and runs[-1][2] in (0, day - runs[-1][1]):
            first, last, _, _ = runs[-1]
            runs[-1] = (first, day, day - last, taken)
        else:
            runs.append((day, day, 0, taken))
    for first, last, step, taken in runs[:MOST_LINES]:
        weekday = WEEKDAYS[(WEEKDAYS.index(scenario.start_day) + first - 1) % 7]
        when = (
            f"day {first} ({weekday})"
            if first == last
            else f"day {first} to {last}" + (f", every {step} days" if step > 1 else "")
        )
        yield f"- {when}: {', '.join(taken)}"
    if len(runs) > MOST_LINES:
        yield f"- ... and {len(runs) - MOST_LINES} more"
    for number, line in enumerate(resolved.arms[arm].regimen, start=1):
        drawn = [f"{field} {getattr(line, field)}" for field in ("miss", "jitter") if getattr(line, field)]
        drawn += [f"potency {line.potency[0]} to {line.potency[1]}"] if line.potency else []
        if drawn:
            yield f"- line {number}, drawn for each person: {', '.join(drawn)}"


def _dose_text(dose: Dose) -> str:
    over = f" over {dose.infuse:g} h" if dose.infuse else ""
    return f"{dose.amount} {dose.input} at {clock_text(dose.time % DAY)}{over}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(heads), "|" + " --- |" * len(heads), *(line(row) for row in rows)]
