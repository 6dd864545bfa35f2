"""Predictions files: what they say wrong is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldnsim.foundation.errors import LdnsimError
from ldnsim.library.checks.predictions import measured
from ldnsim.library.facts import facts_of_library
from ldnsim.library.files import load_file, load_predictions
from ldnsim.library.predictions import Prediction

ARM = 'arms: {once: {title: "50 mg", duration: 24 h, regimen: [{input: oral, dose: 50 mg, at: "00:00"}]}}'


def faults_of(tmp_path: Path, facts: str, rest: str = ""):
    file = tmp_path / "predictions.yaml"
    file.write_text(f"format: ldnsim-predictions/1\n{ARM}\nfacts:\n  {facts}\n{rest}\n", encoding="utf-8")
    with pytest.raises(LdnsimError) as caught:
        load_file(file)
    return caught.value.faults


@pytest.mark.parametrize(
    ("facts", "message", "near"),
    [
        ("pk999: [{arm: once, output: Cp, at: 1 h}]", "there is no fact 'pk999'", "pk009"),
        ("pk015: []", "pk015 has no prediction", ""),
        ("pk015: [{arm: onse, output: Cp, at: 1 h}]", "there is no arm 'onse'", "once"),
        ("pk015: [{arm: once, output: Cp}]", "value needs 'at'", ""),
        ("pk015: [{arm: once, output: Cp, take: peak}]", "peak needs 'window'", ""),
        ("pk015: [{arm: once, output: Cp, take: peak, window: [2 h, 1 h]}]", "the window ends before it begins", ""),
        ("pk015: [{arm: once, at: 1 h}]", "no output is named", ""),
        ("pk015: [{take: parameter}]", "no parameter is named", ""),
        ("pk015: [{arm: once, output: Cp, at: 1 h, number: 2}]", "pk015 has 1 numbers", ""),
        ("pk015: [{arm: once, output: Cp, at: 1 h, over: {arm: twice}}]", "there is no arm 'twice'", ""),
        ("pk015: [{arm: once, output: Cp, tale: peak}]", "unknown key 'tale'", "take"),
        ("pk015: [{arm: once, output: Cp, take: pek}]", "unknown value 'pek'", "peak"),
    ],
)
def test_faults(tmp_path, facts, message, near):
    found = [fault for fault in faults_of(tmp_path, facts) if message in fault.message]
    assert found
    assert found[0].line == 4
    assert found[0].nearest == near


def test_conflicts_and_rivals_name_facts_that_there_are(tmp_path):
    rest = "conflicts: {a: {title: A, facts: [pk015, pk915]}}\nrivals: {b: {sets: {plasma: x}, set_by: [pk916]}}"
    found = faults_of(tmp_path, "pk015: [{arm: once, output: Cp, at: 1 h}]", rest)
    assert [(fault.line, fault.message) for fault in found] == [
        (5, "there is no fact 'pk915'"),
        (6, "there is no fact 'pk916'"),
    ]


def test_a_ratio_repeats_what_it_does_not_say():
    item = Prediction.model_validate(
        {"arm": "once", "output": "mu_occupancy", "at": "48 h", "over": {"at": "1 h"}, "changes": {"a.b": 1}}
    )
    above, below = measured(item)
    assert above is item
    assert (below.arm, below.output, str(below.at)) == ("once", "mu_occupancy", "1 h")


def test_every_fact_to_be_met_is_predicted_or_says_why_not():
    predictions, facts = load_predictions(), facts_of_library()
    assert {id for id, fact in facts.items() if fact.use != "context"} <= predictions.facts.keys()
