"""A model of anybody's own: no slot `person`, no input `oral`, no output of the library's models."""

from __future__ import annotations

import numpy as np
import pytest
from test_discriminate import mini

import ldnsim as ldn
from ldnsim.calibration.parameter_spread import free_parameters
from ldnsim.foundation.errors import LdnsimError
from ldnsim.report.answer import answers
from ldnsim.report.describe import describe_model
from ldnsim.report.page import page

SCENARIO = """
format: ldnsim-scenario/1
name: question
question: "How long is it bound?"
model: mini
accounts: [low, high]
duration: 4 d
arms:
  small: {regimen: [{input: vein, dose: 1 mg, at: "08:00"}]}
  large: {regimen: [{input: vein, dose: 2 mg, at: "20:00", infuse: 2 h}]}
report: [bound]
"""


@pytest.fixture
def model(tmp_path):
    return mini(tmp_path, "vein", "bound")


@pytest.fixture
def scenario(model, tmp_path):
    (tmp_path / "question.yaml").write_text(SCENARIO.lstrip())
    return ldn.load_scenario(str(tmp_path / "question.yaml"))


def test_it_runs_and_has_a_page(scenario):
    result = ldn.simulate(scenario)
    table = ldn.summarize(result)
    html = page(result, table, answers(result, table))
    assert "1 mg vein at 08:00" in html
    assert "2 mg vein at 20:00 over 2 h" in html


def test_all_declared_ranges_are_those_of_its_one_slot(scenario):
    table = ldn.sensitivity(scenario, metrics=["bound_mean"])
    assert set(table.address) == {"receptors.k"}
    assert np.isfinite(table.at_low).all()


def test_what_is_uncertain_is_found_without_a_person(scenario):
    assert {address for address, *_ in free_parameters(scenario)} == {"receptors.k"}


def test_people_are_simulated_though_nothing_differs_between_them(scenario):
    found = ldn.simulate(scenario.with_changes({"population.size": 3})).bound
    assert found.sizes["subject"] == 3
    np.testing.assert_array_equal(found.isel(subject=0), found.isel(subject=2))


def test_sliders_and_words_need_neither(scenario, model):
    assert ldn.explore(scenario) is not None
    assert "`vein`" in describe_model(model, {})


def test_a_person_who_is_not_there_is_no_address(scenario):
    with pytest.raises(LdnsimError, match="person"):
        ldn.simulate(scenario.with_changes({"person.weight": "80 kg"}))
