"""Every scenario of the library: it runs, its answer is told in every account, and it says what it cannot say."""

from __future__ import annotations

import re

import pytest

import ldnsim as ldn
from ldnsim.library.files import library
from ldnsim.report.answer import answers

NAMES = list(library("scenarios"))
# Words that a teaching tool must not use of anybody's treatment.
ADVICE = re.compile(r"\b(you should|we recommend|recommended dose|safe to (re)?start|take \d)", re.I)
OPIOIDS = ("opioid_challenge", "naloxone_rescue", "precipitated_withdrawal")


@pytest.fixture(scope="module", params=NAMES)
def told(request):
    scenario = ldn.load_scenario(request.param)
    result = ldn.simulate(scenario)
    return scenario, result, answers(result, ldn.summarize(result))


def test_each_account_has_an_answer_with_numbers(told):
    scenario, result, texts = told
    assert len(texts) == result.sizes["account"] == len(scenario.accounts)
    assert int((result.status != 0).sum()) == 0
    for account, text in zip(result.account.values, texts, strict=True):
        assert text.startswith(f"{account}: ")
        assert re.search(r"\d", text.removeprefix(f"{account}: "))
        assert "nan" not in text


def test_each_says_what_it_cannot_say_and_gives_no_advice(told):
    scenario, _, texts = told
    assert scenario.question.endswith("?")
    assert len(scenario.cannot_say) > 60
    for text in (scenario.question, scenario.cannot_say, *texts):
        assert not ADVICE.search(text)
    if scenario.name in OPIOIDS:
        assert "for teaching" in scenario.cannot_say or "says when to start or to restart" in scenario.cannot_say


def test_the_scenarios_that_were_asked_for_are_there():
    wanted = {"hypotheses", "full_dose_50mg", "contrave_extended_release", "titration", "missed_doses", "stopping",
              "compounding_potency", "opioid_challenge", "naloxone_rescue", "precipitated_withdrawal", "cirrhosis",
              "ultra_low_dose", "vivitrol_depot", "tablet_splitting", "night_vs_morning", "dose_sizes",
              "first_dose"}  # fmt: skip
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("account", ["transient", "pet_pool"])
def test_an_ultra_low_dose_gets_no_number(account):
    scenario = ldn.load_scenario("ultra_low_dose")
    result = ldn.simulate(scenario)
    table = ldn.summarize(result).sel(account=account)
    ultra, low = table.sel(arm="ultra_low"), table.sel(arm="low")
    for name in ("mu_occupancy", "opioid_tone"):
        assert bool(result[name].sel(arm="ultra_low").isnull().all())
        assert bool(ultra[f"{name}_mean"].isnull())
        assert str(ultra[f"{name}_mean_reason"].values) == "no mechanism in the model"
        assert not bool(low[f"{name}_mean"].isnull())
    assert float(ultra.Cp_Cmax) > 0  # what gets into plasma is no claim about effects
    (text,) = (text for text in answers(result, ldn.summarize(result)) if text.startswith(account))
    assert "0.1 ug: no mechanism in the model, so no number." in text
    assert any("no mechanism in the model for 0.1 ug" in note for note in result.attrs["notes"])
