"""Models and scenarios as Markdown: parts, equations, parameters with their sources; the dose calendar of each arm.

The terminal and HTML render the Markdown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldnsim.model.baselines import baseline_of
from ldnsim.model.system import compose
from ldnsim.report.calendar import calendar_lines
from ldnsim.scenario.changes import resolve, setting_of
from ldnsim.scenario.design import Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ldnsim.library.fit_file import Fit
    from ldnsim.model.records import Export, Model, Parameter, Part
    from ldnsim.model.variability import Spread
    from ldnsim.scenario.changes import Resolved
    from ldnsim.scenario.scenario import Scenario

__all__ = ["describe_fit", "describe_model", "describe_part", "describe_scenario"]

DELIVERY = ("lag", "bioavailability", "rate", "duration")


def describe_model(model: Model, bibliography: Mapping[str, str]) -> str:
    """Describe a model: accounts, outputs, inputs, every part, and the sources that they cite.

    Parameters
    ----------
    model : Model
        As returned by `load_model`.
    bibliography : mapping of str to str
        Source key -> citation.

    Returns
    -------
    str
        Markdown.
    """
    lines = [f"# {model.title} (`{model.name}` {model.version})", "", model.description, ""]
    lines += [
        "## Accounts",
        "",
        *_table(("account", "description", "parts", "changed values"), _account_rows(model)),
        "",
    ]
    lines += ["## Outputs", "", *_table(("output", "meaning", "unit", *model.accounts), _output_rows(model)), ""]
    lines += ["## Inputs", ""]
    for name, product in model.inputs.items():
        targets = ", ".join(f"`{target}` x {share}" for target, share in product.to.items())
        lag = f", after `{product.lag}`" if product.lag else ""
        lag += f", over `{product.over}`" if product.over else ""
        lag += f", rate `{product.rate}`" if product.rate else ""
        lines.append(
            f"- `{name}`: {product.title or product.drug}, {product.salt} of {product.drug}, into {targets}{lag}"
        )
    for name, drug in model.drugs.items():
        if drug.mechanism:
            lines.append(f"- below {drug.mechanism.from_} of {name}: no mechanism. {drug.mechanism.note}")
    lines += ["", "CMT of a data set is the name of an input or of a state, or the number of the state:", ""]
    lines += [f"- {names}: {states}" for names, states in _compartments(model)]
    parts = [part for alternatives in model.slots.values() for part in alternatives]
    cited = [key for drug in model.drugs.values() for key in drug.source]
    cited += [key for account in model.accounts.values() for key in account.source]
    for slot, alternatives in model.slots.items():
        for part in alternatives:
            lines += ["", *_part_lines(part, f"{slot}: ")]
    return "\n".join(
        [
            *lines,
            "",
            *_source_lines(
                parts,
                bibliography,
                extra=cited,
            ),
        ]
    )


def describe_part(part: Part, bibliography: Mapping[str, str]) -> str:
    """Describe one part.

    Parameters
    ----------
    part : Part
        A model part.
    bibliography : mapping of str to str
        Source key -> citation.

    Returns
    -------
    str
        Markdown.
    """
    return "\n".join([*_part_lines(part, ""), "", *_source_lines([part], bibliography)])


def describe_fit(fit: Fit) -> str:
    """Describe a fit: question, estimated parameters with their bounds, data, doses, and limitations.

    Parameters
    ----------
    fit : Fit
        As returned by `load_fit`.

    Returns
    -------
    str
        Markdown.
    """
    scenario = fit.scenario
    lines = [f"# {fit.question}", "", f"`{fit.name}`: model `{fit.model.name}`, account `{fit.account}`.", ""]
    rows = [
        (
            f"`{name}`",
            "value of the model" if estimate.start is None else str(estimate.start),
            " to ".join(map(str, estimate.bounds)),
        )
        for name, estimate in fit.estimate.items()
    ]
    lines += ["## Estimated", "", *_table(("parameter or time", "start", "bounds"), rows), "", "## Data", ""]
    data = [
        (
            f"`{name}`",
            fact.arm,
            f"{fact.output} {fact.what}",
            str(fact.value),
            " and ".join(str(error) for error in (fact.cv, fact.sd) if error),
            fact.use,
        )
        for name, fact in fit.data.items()
    ]
    lines += [*_table(("datum", "arm", "what", "value", "error", "use"), data), "", "## Arms"]
    resolved = resolve(scenario)
    for name in resolved.arms:
        lines += ["", f"### {name}", "", *calendar_lines(resolved, name, scenario.start_day)]
    return "\n".join([*lines, *(["", "## Limitations", "", fit.cannot_say] if fit.cannot_say else [])])


def describe_scenario(scenario: Scenario) -> str:
    """Describe a scenario: question, accounts, the dose calendar of each arm, and limitations.

    Parameters
    ----------
    scenario : Scenario
        As returned by `load_scenario`.

    Returns
    -------
    str
        Markdown.
    """
    resolved = resolve(scenario)
    people = (
        f"{resolved.population.size} people, seed {resolved.population.seed}"
        if resolved.population
        else "one typical person"
    )
    begins = ", each arm starting at steady state" if scenario.start == "steady_state" else ""
    varying = [*_population_lines(resolved), *_uncertainty_lines(resolved)]
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
        *varying,
        "## Arms",
    ]
    for name in resolved.arms:
        lines += ["", f"### {name}", "", *calendar_lines(resolved, name, scenario.start_day)]
    if scenario.sweep:
        lines += ["", f"Sweep, {scenario.design.kind.replace('_', ' ')}: {_axes(scenario)}."]
        lines[-1] += " `ldnsim run` uses the values above only."
    if scenario.changes:
        lines += ["", "Changed: " + ", ".join(f"`{address}` = {value}" for address, value in scenario.changes.items())]
    if scenario.cannot_say:
        lines += ["", "## Limitations", "", scenario.cannot_say]
    return "\n".join(lines)


def _compartments(model: Model) -> Iterator[tuple[str, str]]:
    """The accounts that share a structure, and its states with the numbers that CMT of a data set may use."""
    same: dict[tuple[str, ...], list[str]] = {}
    for name in model.accounts or (model.name,):
        states = compose(model, setting_of(model, name).parts).states
        same.setdefault(states, []).append(f"`{name}`")
    for states, names in same.items():
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
    for name, output in model.outputs.items():
        baseline = baseline_of(output.relative_to)
        yield (
            f"`{name}`",
            f"{output.title}, {baseline.phrase}" if baseline else output.title,
            output.unit,
            *(tags[account][name] for account in tags),
        )


def _part_lines(part: Part, lead: str) -> list[str]:
    needs = ", ".join(f"`{name}` ({unit})" for name, unit in part.needs.items())
    lines = [f"## {lead}{part.title} (`{part.name}` {part.version}, {part.evidence})", ""]
    lines += [part.description, ""] if part.description else []
    lines += [f"Needs {needs}.", ""] if needs else []
    sums = ", ".join(f"`{name}` ({unit})" for name, unit in part.gathers.items())
    lines += [f"Sums the contributions of other parts to {sums}.", ""] if sums else []
    lines += ["Exports:", "", *(f"- `{name}`: {_export_text(export)}" for name, export in part.exports.items()), ""]
    lines += ["```text", part.equations.rstrip(), "```", ""]
    if part.parameters:
        heads = ("parameter", "value", "range", "CV", "source", "meaning")
        lines += _table(heads, (_parameter_row(name, parameter) for name, parameter in part.parameters.items()))
    for one in part.correlations:
        lines += ["", f"Correlation of {' and '.join(one.between)}: {one.value} ({', '.join(one.source)}). {one.note}"]
    for name, state in part.states.items():
        delivery = [f"{field} `{getattr(state, field)}`" for field in DELIVERY if getattr(state, field)]
        if delivery:
            lines += ["", f"Delivery parameters of doses into `{name}`: {', '.join(delivery)}."]
    for name, published in part.rivals.items():
        values = ", ".join(f"{key} = {value}" for key, value in published.values.items())
        source = ", ".join(published.source)
        lines += ["", f"Published parameter set `{name}`: {values} ({source}). {published.note}"]
    return lines


def _export_text(export: Export) -> str:
    own = f" ({export.evidence}: {export.because})" if export.evidence else ""
    return export.description + own + (f"; adds to `{'`, `'.join(export.adds_to)}`" if export.adds_to else "")


def _parameter_row(name: str, parameter: Parameter) -> tuple[str, ...]:
    ends = " to ".join(str(end) for end in parameter.range) if parameter.range else ""
    meaning = f"{parameter.description}. {parameter.note}".strip() if parameter.note else parameter.description
    return f"`{name}`", str(parameter.value), ends, _spread_text(parameter), ", ".join(parameter.source), meaning


def _spread_text(parameter: Parameter) -> str:
    """Variability of a parameter between people, and between occasions of one person."""
    shape = "" if parameter.distribution == "log_normal" else f" ({parameter.distribution})"
    between = f"{parameter.iiv_cv}{shape}" if parameter.iiv_cv else ""
    return between + (f"; {parameter.iov_cv} between occasions" if parameter.iov_cv else "")


def _population_lines(resolved: Resolved) -> Iterator[str]:
    """The population: what is drawn for each person, or read from a table."""
    population = resolved.population
    if population is None:
        return
    yield from ("## People", "")
    for address, spread in population.covariates.items():
        yield f"- `{address}`: {_distribution_text(spread)}{_reason(spread.source, spread.note)}"
    if population.table:
        columns = ", ".join(f"`{column.address}` [{column.unit}]" for column in population.table.columns)
        yield f"- from `{population.table.file}`: {columns}"
    varying = {
        name: record
        for setting in resolved.settings
        for name, record in setting.parameters.items()
        if (record.iiv_cv or (record.iov_cv and population.occasion)) and name not in population.given
    }
    for name, record in varying.items():
        yield f"- `{name}`: median {record.value}, CV {_spread_text(record)}, from the model part"
    for a, b, value in dict.fromkeys(
        one for setting in resolved.settings for one in setting.correlations(population.correlations)
    ):
        yield f"- correlation of `{a}` and `{b}`: {value:g}"
    if population.occasion:
        yield f"- a new occasion begins with the first dose of every {population.occasion}"
    yield ""


def _distribution_text(spread: Spread) -> str:
    kind = spread.kinds[0]
    if kind == "share":
        return f"1 for {spread.share} of people, 0 for the others"
    if kind == "shares":
        return ", ".join(f"{value} for {share}" for value, share in spread.shares.items()) + " of people"
    names = {"normal": ("mean", "SD"), "log_normal": ("median", "CV"), "uniform": ("from", "to")}[kind]
    numbers = ", ".join(f"{name} {value}" for name, value in zip(names, getattr(spread, kind), strict=True))
    within = f", within {spread.range[0]} to {spread.range[1]}" if spread.range else ""
    return f"{kind.replace('_', '-')}, {numbers}{within}"


def _reason(source: Iterable[str], note: str) -> str:
    reason = ". ".join(text for text in (", ".join(source), note) if text)
    return f" ({reason})" if reason else ""


def _uncertainty_lines(resolved: Resolved) -> Iterator[str]:
    """The parameters that are drawn because they are uncertain."""
    uncertainty = resolved.uncertainty
    if uncertainty is None:
        return
    number = f"{uncertainty.draws} draws, seed {uncertainty.seed}, in addition to the stated values."
    yield from ("## Parameter uncertainty", "", number, "")
    for name in uncertainty.parameters:
        record = next(setting.parameters[name] for setting in resolved.settings if name in setting.parameters)
        assert record.range
        yield f"- `{name}`: {record.range[0]} to {record.range[1]}, with the stated value as the median"
    if uncertainty.fit:
        yield f"- jointly, from a fit: {', '.join(f'`{name}`' for name in uncertainty.fit.order)}"
    yield ""


def _source_lines(parts: Iterable[Part], bibliography: Mapping[str, str], extra: Iterable[str] = ()) -> list[str]:
    keys = set(extra)
    for part in parts:
        keys |= {key for parameter in part.parameters.values() for key in parameter.source}
        keys |= {key for published in part.rivals.values() for key in published.source}
    return ["## Sources", "", *(f"- `{key}`: {bibliography[key]}" for key in sorted(keys & bibliography.keys()))]


def _axes(scenario: Scenario) -> str:
    """Each axis with its size, or its ends."""
    texts = []
    for address, axis in scenario.sweep.items():
        size = f"{axis.from_} to {axis.to}" if isinstance(axis, Range) else str(len(axis))
        texts.append(f"{address} ({size})")
    return (" x " if scenario.design.kind == "grid" else ", ").join(texts)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(heads), "|" + " --- |" * len(heads), *(line(row) for row in rows)]
