"""Differences between accounts, variability between people, and parameter uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.calibration.parameter_spread import free_parameters, parameter_spread
from ldnsim.calibration.spread import Z90, mean_spread, spread_text

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
PEOPLE = "population: {size: 30, seed: 1}"


def test_parameters_of_a_set_do_not_move_alone(ask):
    free = free_parameters(ask("2 d", "[transient, pet_pool, pet_slow]", extra="report: [mu_occupancy]", night=NIGHT))
    where = {address: accounts for (address, _, _), accounts in free.items()}
    assert where["plasma.ka"] == [0, 1, 2]
    assert where["plasma.tlag"] == [0, 1, 2]  # on the way of the dose
    assert where["occupancy.EC50"] == [0]  # in pet_pool it lies on a ridge with f
    assert not {"plasma.CL", "occupancy.f", "endorphin.g", "plasma.CLrm"} & where.keys()
    assert not any(address.startswith("person.") for address in where)  # what people differ in is no uncertainty


def test_what_the_scenario_changes_stays(ask):
    question = ask("2 d", "[transient]", night=NIGHT)
    changed = question.with_changes({"plasma.ka": "2 1/h", "tlag": "0.2 h"})
    gone = {address for address, _, _ in free_parameters(question)} - {a for a, _, _ in free_parameters(changed)}
    assert gone == {"plasma.ka", "plasma.tlag"}


def test_the_spread_is_that_of_the_ranges(ask):
    """One free parameter, and no published set that moves it: a quarter of the way between both ends."""
    question = ask("2 d", "[transient]", extra="report: [mu_occupancy]", night=NIGHT)

    def seen(asked):
        return {"EC50": np.array([float(asked.changes.get("occupancy.EC50", "0.5 ng/mL").split()[0])])}

    spread = parameter_spread(question, seen)
    assert spread["EC50"] == pytest.approx([(1.4 - 0.09) / 4])


def test_three_spreads_in_words(ask):
    question = ask("8 d", "[transient, pet_pool]", extra=PEOPLE + "\nreport: [opioid_tone]", night=NIGHT)
    result = ldn.simulate(question)
    table = ldn.summarize(result)
    parameters = mean_spread(question)
    assert set(parameters) == {"opioid_tone", "mu_occupancy"}
    assert parameters["mu_occupancy"].shape == (2, 1)
    assert np.all(parameters["mu_occupancy"] > 0.005)
    (text,) = spread_text(result, table, parameters)
    middle = table.mu_occupancy_mean.median("subject").squeeze()
    ends = table.mu_occupancy_mean.quantile([0.05, 0.95], "subject").squeeze()
    assert "mean Opioid tone (night) differs by" in text
    assert f"mean mu occupancy by naltrexone (night) differs by {float(middle.max() - middle.min()):.2f}" in text
    assert f"by up to {float((ends[1] - ends[0]).max()):.2f} between people of one account" in text
    assert f"by up to {Z90 * parameters['mu_occupancy'].max():.2f} from parameter uncertainty" in text


def test_means_are_of_the_same_hours_as_those_of_the_table(ask, monkeypatch):
    """The values that are spread are the means of the table of one typical person."""
    question = ask("3 d", "[pet_pool]", extra="report: [mu_occupancy]", night=NIGHT)
    seen = []
    monkeypatch.setattr(
        "ldnsim.calibration.spread.parameter_spread", lambda scenario, read: seen.append(read(scenario))
    )
    mean_spread(question)
    mean = ldn.summarize(ldn.simulate(question)).mu_occupancy_mean.item()
    assert seen[0]["mu_occupancy"].item() == pytest.approx(mean, abs=0.002)


def test_nothing_to_say_of_one_account_or_one_person(ask):
    for accounts, extra in (("[transient]", PEOPLE), ("[transient, pet_pool]", "")):
        result = ldn.simulate(ask("2 d", accounts, extra=extra, night=NIGHT))
        assert spread_text(result, ldn.summarize(result), {}) == []


def test_what_a_scenario_draws_as_uncertain_does_not_move_its_spread(ask):
    """Published sets put a parameter outside of the range that the draws start from."""
    plain = ask("2 d", "[transient, pet_pool]", extra=PEOPLE + "\nreport: [mu_occupancy]", night=NIGHT)
    drawn = "\nreport: [mu_occupancy]\nuncertainty: {draws: 2, parameters: [occupancy.t_pool]}"
    unsure = ask("2 d", "[transient, pet_pool]", extra=PEOPLE + drawn, night=NIGHT)
    np.testing.assert_array_equal(mean_spread(unsure)["mu_occupancy"], mean_spread(plain)["mu_occupancy"])
