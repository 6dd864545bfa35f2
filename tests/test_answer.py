"""The answer in words says what the table says."""

from __future__ import annotations

import re

import ldnsim as ldn
from ldnsim.report.answer import answers

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
FULL = '{input: oral, dose: 50 mg, at: "22:00"}'


def told(question) -> list[str]:
    result = ldn.simulate(question)
    return answers(result, ldn.summarize(result))


def test_a_sentence_per_account_with_its_numbers(ask):
    result = ldn.simulate(ask("14 d", "[transient, pet_slow]", night=NIGHT, full=FULL))
    table = ldn.summarize(result)
    transient, slow = answers(result, table)
    night = table.sel(account="transient", arm="night")
    assert transient.startswith("transient: Opioid tone (hypothesis) rebounds: night +14 % at most")
    assert f"for {float(night.opioid_tone_rebound_hours):.1f} h a day" in transient
    assert "; full none;" in transient
    assert f"{float(night.mu_occupancy_unblocked_hours):.1f} h (night), 0.0 h (full)" in transient
    assert slow.startswith("pet_slow: Opioid tone (hypothesis) never rises above its drug-free level")
    assert "Receptors (fitted) are never unblocked" in slow


def test_many_arms_are_told_by_their_extremes(ask):
    arms = {f"mg_{dose}": NIGHT.replace("4.5", str(dose)) for dose in (1, 3, 6, 10, 50)}
    (text,) = told(ask("14 d", "[transient]", **arms))
    assert "rebounds most with mg_6 (+15 % at most" in text
    assert "and not with mg_50" in text


def test_concentrations_answer_where_nothing_else_is_reported(ask):
    question = ask("1 d", "[transient]", extra="report: [Cp]", night='{input: oral, dose: 50 mg, at: "08:00"}')
    (text,) = told(question)
    assert "Naltrexone in plasma peaks at 39 nmol/L." in text


def test_people_count_by_their_median_and_failures_are_told(ask):
    question = ask("2 d", "[transient]", extra="population: {size: 3, seed: 1}", night=NIGHT)
    result = ldn.simulate(question)
    result.status[0, 0, 1] = 2
    result.opioid_tone[0, 0, 1] = float("nan")
    (text,) = answers(result, ldn.summarize(result))
    assert "1 of 3 runs could not be solved." in text
    assert "nan" not in text


def test_nobody_solved(ask):
    question = ask("2 d", "[transient]", night=NIGHT).with_changes({"endorphin.th0": 0})
    (text,) = told(question)
    assert text == "transient: None of its runs could be solved."


def test_an_arm_that_was_not_solved_is_no_finding(ask):
    result = ldn.simulate(ask("2 d", "[transient]", night=NIGHT, full=FULL))
    result.status[0, 1] = 3
    for name in ("Cp", "mu_occupancy", "opioid_tone", "endorphin"):
        result[name][0, 1] = float("nan")
    (text,) = answers(result, ldn.summarize(result))
    assert "full" not in text
    assert "nan" not in text
    assert "1 of 2 runs could not be solved." in text


def test_arms_of_one_title_keep_their_names(ask, tmp_path):
    question = ask("2 d", "[transient]", night=NIGHT, full=FULL)
    arms = {name: arm.model_copy(update={"title": "same"}) for name, arm in question.arms.items()}
    (text,) = told(question.model_copy(update={"arms": arms}))
    assert "night +" in text


def test_people_and_arms_with_titles_go_together(ask):
    question = ask("2 d", "[transient]", extra="population: {size: 3, seed: 1}", night=NIGHT, full=FULL)
    arms = {name: arm.model_copy(update={"title": f"{name} dose"}) for name, arm in question.arms.items()}
    (text,) = told(question.model_copy(update={"arms": arms}))
    assert "(median of 3 people)" in text
    assert "full dose" in text


def test_blockade_is_told_by_arm_where_arms_lie_apart(ask):
    (text,) = told(ask("14 d", "[pet_pool]", night=NIGHT, full=FULL))
    assert re.search(r"stays between \d+ and \d+ % \(night\), \d+ and \d+ % \(full\)", text)
    (text,) = told(ask("14 d", "[pet_pool]", night=NIGHT, later=NIGHT.replace("22:00", "23:00")))
    assert re.search(r"stays between \d+ and \d+ %\.", text)


def test_exposure_is_compared_with_the_first_arm(ask):
    question = ask("14 d", "[transient]", extra="report: [Cp]", night=NIGHT, full=FULL)
    (text,) = told(question)
    assert "Exposure (AUC over the window) relative to night: 11.11 (full)." in text


CHALLENGE = '{input: morphine_intravenous, dose: 10 mg, at: "08:00", from: day 2}'


def test_an_effect_that_the_first_arm_has_most_of_is_what_others_take_away(ask):
    question = ask("2 d", "[pet_pool]", model="ldn_opioids", alone=CHALLENGE, both=f"{FULL}, {CHALLENGE}")
    result = ldn.simulate(question)
    table = ldn.summarize(result).sel(account="pet_pool", arm="both")
    (text,) = answers(result, ldn.summarize(result))
    left = 100 * float(table.agonist_occupancy_least_of_first)
    assert f"Relative to alone at that time: both falls to {left:.0f} %, below half for" in text


def test_an_effect_that_others_have_more_of_is_told_with_its_time(ask):
    question = ask("2 d", "[pet_pool]", model="ldn_opioids", blocked=f"{FULL}, {CHALLENGE}", alone=CHALLENGE)
    (text,) = told(question)
    assert re.search(r"agonists \(hypothesis\) peaks at [\d.]+ % after [\d.]+ h \(blocked\), .* h \(alone\)", text)


def test_without_the_drug_blockade_is_no_answer_and_an_effect_that_is_none_is_told(ask):
    question = ask("2 d", "[pet_pool]", model="ldn_opioids", rescue=CHALLENGE.replace("morphine", "naloxone"))
    (text,) = told(question)
    assert "mu occupancy by opioid agonists (hypothesis) stays at 0." in text
    assert "Receptors" not in text
