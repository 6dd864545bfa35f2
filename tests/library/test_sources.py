"""Every number has a source or says that it is assumed, every source is known, and none was tuned to a test fact."""

from __future__ import annotations

import pytest

from ldnsim.library.facts import facts_of_library
from ldnsim.library.files import (
    implausible_values_in,
    library,
    load_bibliography,
    load_file,
    load_fit,
    load_model,
    load_predictions,
)
from ldnsim.model.records import ASSUMED, Model, Part

PARTS = {name: load_file(path) for name, path in library("parts").items()}
MODELS = {name: load_model(name) for name in library("models")}


def all_sources(record: Part) -> dict[str, tuple[str, ...]]:
    own = {name: parameter.source for name, parameter in record.parameters.items()}
    return own | {f"rivals.{name}": rival.source for name, rival in record.rivals.items()}


@pytest.mark.parametrize("name", PARTS)
def test_a_source_or_assumed_with_a_note(name):
    part = PARTS[name]
    assert isinstance(part, Part)
    for parameter in [*part.parameters.values(), *part.rivals.values()]:
        assert parameter.source
        assert ASSUMED not in parameter.source or parameter.note.strip()


@pytest.mark.parametrize("name", PARTS)
def test_sources_are_in_the_bibliography(name):
    part, known = PARTS[name], load_bibliography()
    assert isinstance(part, Part)
    for where, sources in all_sources(part).items():
        assert set(sources) <= {*known, ASSUMED}, where


def test_facts_have_sources_in_the_bibliography():
    known = load_bibliography()
    assert all(fact.source in known for fact in facts_of_library().values() if fact.status != "derived")


def test_the_bibliography_holds_nothing_that_nobody_cites():
    cited = {fact.source for fact in facts_of_library().values()}
    for part in PARTS.values():
        assert isinstance(part, Part)
        cited |= {key for sources in all_sources(part).values() for key in sources}
    for model in MODELS.values():
        cited |= {key for drug in model.drugs.values() for key in drug.source}
    assert set(load_bibliography()) <= cited


@pytest.mark.parametrize("name", PARTS)
def test_no_parameter_rests_on_a_source_of_test_facts_only(name):
    """What is to be predicted must not have been fitted; a rival set that was set by such facts says so."""
    part, uses = PARTS[name], {}
    assert isinstance(part, Part)
    for fact in facts_of_library().values():
        uses.setdefault(fact.source, set()).add(fact.use)
    withheld = {source for source, found in uses.items() if found == {"test"}}
    assert "verebey1976" in withheld  # so that this test has something to find
    for parameter, record in part.parameters.items():
        assert withheld.isdisjoint(record.source), parameter
    told = {choice.sets.get("plasma") for choice in load_predictions().rivals.values() if choice.set_by}
    told |= {choice.sets.get("occupancy") for choice in load_predictions().rivals.values() if choice.set_by}
    for rival, values in part.rivals.items():
        assert withheld.isdisjoint(values.source) or rival in told, rival


def test_fits_use_the_facts_for_what_they_are_for():
    """Every number in a fit of the library is one of the tables' facts, or says in its note which one it is in other
    words; and none that is to be predicted is fitted."""
    facts = facts_of_library()
    published = [(fact.source, span.low, fact.use) for fact in facts.values() for span in fact.numbers]
    fits = {name: load_fit(name) for name in library("fits")}
    assert fits
    for name, fit in fits.items():
        for key, fact in fit.facts.items():
            uses = {use for source, value, use in published if source in fact.source and value == fact.value.value}
            uses |= {row.use for key_of_row, row in facts.items() if fact.note.startswith(f"{key_of_row}: ")}
            assert fact.use in uses or (fact.use == "test" and "fit" in uses), f"{name}.{key}: {uses or 'no such fact'}"


@pytest.mark.parametrize("path", [*library("parts").values(), *library("models").values()], ids=lambda path: path.stem)
def test_numbers_are_plausible_or_excused(path):
    assert implausible_values_in(path) == ()


def test_the_library_holds_models():
    assert MODELS
    assert all(isinstance(model, Model) for model in MODELS.values())
