"""Addresses: everything that can be changed, what a change moves, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.dosing.regimen import Bottle, Split
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.units import Quantity
from ldnsim.scenario.changes import resolve, setting_of
from ldnsim.scenario.scenario import Scenario

GOOD = Path(__file__).parent / "bad_input" / "good"


@pytest.fixture
def scenario() -> Scenario:
    """Arms `night` and `morning`; accounts `quick` (receptor: direct) and `slow` (receptor: delayed)."""
    return ldn.load_scenario(GOOD / "once.yaml")


def values(scenario: Scenario, address: str) -> list[str | None]:
    """What each account holds at a qualified address."""
    return [
        str(setting.values[address]) if address in setting.values else None for setting in resolve(scenario).settings
    ]


def line(scenario: Scenario, arm: str = "night", number: int = 0):
    return resolve(scenario).arms[arm].regimen[number]


def message_of(scenario: Scenario, changes) -> str:
    with pytest.raises(LdnsimError) as caught:
        scenario.with_changes(changes)
    (fault,) = caught.value.faults
    return str(fault)


# --- what can be changed


def test_a_parameter_changes_in_every_account_that_has_it(scenario):
    assert values(scenario.with_changes({"plasma.V": "40 L"}), "plasma.V") == ["40 L", "40 L"]
    assert values(scenario.with_changes({"receptor.k": "2 1/h"}), "receptor.k") == [None, "2 1/h"]
    assert values(scenario.with_changes({"receptor.Kd": "3 nmol/L"}), "receptor.Kd") == ["3 nmol/L", "3 nmol/L"]


def test_a_bare_name_is_enough_where_one_slot_has_it(scenario):
    assert values(scenario.with_changes({"V": "40 L"}), "plasma.V") == ["40 L", "40 L"]
    assert values(scenario.with_changes({"k": "2 1/h"}), "receptor.k") == [None, "2 1/h"]


def test_a_factor_multiplies_what_each_account_had(scenario):
    before = values(scenario, "receptor.Kd")
    assert before == ["2 ng/mL", "4 nmol/L"]
    assert values(scenario.with_changes({"receptor.Kd": "x 0.5"}), "receptor.Kd") == ["1 ng/mL", "2 nmol/L"]
    assert values(scenario.with_changes({"Kd": "x2"}), "receptor.Kd") == ["4 ng/mL", "8 nmol/L"]
    assert line(scenario.with_changes({"night.dose": "x 0"})).dose == Quantity(0.0, "mg")
    assert line(scenario.with_changes({"night.dose": "x 1e-1"})).dose == Quantity(0.45, "mg")
    assert str(resolve(scenario.with_changes({"duration": "x 0.75"})).duration) == "10.5 d"
    assert resolve(scenario.with_changes({"population.size": "x 2"})).population.size == 10


def test_a_value_in_another_unit_of_its_kind(scenario):
    assert values(scenario.with_changes({"receptor.Kd": "3 nmol/L"}), "receptor.Kd")[0] == "3 nmol/L"  # was ng/mL
    assert values(scenario.with_changes({"plasma.CL": "100 mL/min"}), "plasma.CL") == ["100 mL/min"] * 2


def test_an_alternative_goes_into_every_account_and_takes_the_values_of_the_replaced_one_with_it(scenario):
    both_delayed = scenario.with_changes({"receptor": "delayed"})
    settings = resolve(both_delayed).settings
    assert [setting.parts["receptor"].name for setting in settings] == ["delayed", "delayed"]
    # `quick` had no values of its own; `slow` keeps its own, for its part stays
    assert values(both_delayed, "receptor.Kd") == ["8 nmol/L", "4 nmol/L"]
    both_direct = scenario.with_changes({"receptor": "direct"})
    assert values(both_direct, "receptor.Kd") == ["2 ng/mL", "2 ng/mL"]
    assert values(both_direct, "receptor.k") == [None, None]


def test_alternatives_come_first_then_sets_then_single_values(scenario):
    changes = {"receptor.k": "0.2 1/h", "receptor.rivals": "lee", "receptor": "delayed"}
    changed = scenario.with_changes(changes)
    assert values(changed, "receptor.k") == ["0.2 1/h", "0.2 1/h"]
    assert values(changed, "receptor.Kd") == ["5 nmol/L", "5 nmol/L"]
    assert values(scenario.with_changes({"receptor.k": "x 2", "receptor.rivals": "lee"}), "receptor.k") == [
        None,
        "0.1 1/h",
    ]


def test_a_rival_set_changes_all_its_values_in_the_accounts_that_have_it(scenario):
    changed = scenario.with_changes({"receptor.rivals": "lee"})
    assert values(changed, "receptor.Kd") == ["2 ng/mL", "5 nmol/L"]
    assert values(changed, "receptor.k") == [None, "0.05 1/h"]
    assert values(scenario.with_changes({"plasma.rivals": "fast"}), "plasma.ka") == ["3 1/h", "3 1/h"]


@pytest.mark.parametrize(
    ("field", "value", "attribute", "expected"),
    [
        ("dose", "3 mg", "dose", Quantity(3.0, "mg")),
        ("input", "vein", "input", "vein"),
        ("at", "08:30", "at", (8.5,)),
        ("at", ["08:30", "20:00"], "at", (8.5, 20.0)),
        ("days", "mon", "days", ("mon",)),
        ("days", ["mon", "Friday"], "days", ("mon", "fri")),
        ("from", "day 3", "from_", 3),
        ("from", 3, "from_", 3),
        ("until", "day 9", "until", 9),
        ("every", "2 d", "every", Quantity(2.0, "d")),
        ("infuse", "2 h", "infuse", Quantity(2.0, "h")),
        ("miss", "10 %", "miss", Quantity(10.0, "%")),
        ("miss", 0.1, "miss", Quantity(0.1)),
        ("missed", ["day 2", 3], "missed", (2, 3)),
        ("jitter", "30 min", "jitter", Quantity(30.0, "min")),
        ("potency", ["90 %", "110 %"], "potency", (Quantity(90.0, "%"), Quantity(110.0, "%"))),
        ("split", "halves", "split", Split(pieces=2, cv=Quantity(9.5, "%"))),
    ],
)
def test_fields_of_a_line(scenario, field, value, attribute, expected):
    for address in (f"night.{field}", f"night.1.{field}"):
        changed = scenario.with_changes({address: value})
        assert getattr(line(changed), attribute) == expected
        assert line(changed, "morning") == line(scenario, "morning")


MANY_VALUES = """{input: oral, at: "22:00", ladder: {day 1: 1 mg, day 8: 3 mg}, late: {day 2: 2 h}, split: halves,
  bottle: {holds: 10, t90: 60 d}}"""


@pytest.mark.parametrize(
    ("address", "value", "attribute", "expected"),
    [
        ("ladder.day 8", "4.5 mg", "ladder", {1: Quantity(1, "mg"), 8: Quantity(4.5, "mg")}),
        ("1.ladder.8", "x 0.5", "ladder", {1: Quantity(1, "mg"), 8: Quantity(1.5, "mg")}),
        ("ladder.day 1", "stop", "ladder", {1: Quantity(0, "mg"), 8: Quantity(3, "mg")}),
        ("late.day 2", "x 2", "late", {2: Quantity(4, "h")}),
        ("bottle.t90", "30 d", "bottle", Bottle(holds=10, t90=Quantity(30, "d"))),
        ("1.bottle.holds", 5, "bottle", Bottle(holds=5, t90=Quantity(60, "d"))),
        ("split.cv", "x 2", "split", Split(pieces=2, cv=Quantity(19, "%"))),
    ],
)
def test_values_that_a_field_of_a_line_holds(ask, address, value, attribute, expected):
    question = ask("10 d", "[transient]", steps=MANY_VALUES)
    changed = resolve(question.with_changes({f"steps.{address}": value})).arms["steps"].regimen[0]
    assert getattr(changed, attribute) == expected
    before = resolve(question).arms["steps"].regimen[0]
    assert changed.model_copy(update={attribute: getattr(before, attribute)}) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"steps.ladder.day 5": "3 mg"}, "names nothing"),
        ({"steps.ladder.dya 8": "3 mg"}, "did you mean 'steps.ladder.day 8'?"),
        ({"steps.ladder.day 8": "3 h"}, "3 h is not a dose"),
        ({"steps.bottle.hold": 3}, "did you mean 'steps.bottle.holds'?"),
        ({"steps.bottle.holds": 0}, "out of range"),
        ({"steps.bottle.potency": ["110 %", "90 %"]}, "potency is no range of shares"),
        ({"steps.split.cv": "80 %"}, "a CV of 80 %"),
        ({"steps.late.day 3": "1 h"}, "names nothing"),
        ({"steps.2.ladder.day 8": "3 mg"}, "the arm has no line '2'"),
        ({"plain.ladder.day 8": "3 mg"}, "the line has no ladder"),
    ],
)
def test_held_values_that_are_none(ask, changes, said):
    question = ask("10 d", "[transient]", steps=MANY_VALUES, plain='{input: oral, dose: 1 mg, at: "22:00"}')
    with pytest.raises(LdnsimError) as caught:
        question.with_changes(changes)
    assert said in str(caught.value)


def test_a_line_keeps_its_other_fields(scenario):
    changed = scenario.with_changes({"morning.dose": "3 mg", "morning.from": "day 2"})
    assert line(changed, "morning").until == 9
    assert line(changed, "morning").at == (8.0,)


def test_lines_are_counted_from_one(ask):
    two = ask(
        model=str(GOOD / "small.yaml"),
        both='{input: oral, dose: 1 mg, at: "08:00"}, {input: oral, dose: 2 mg, at: "20:00"}',
    )
    changed = two.with_changes({"both.2.dose": "3 mg"})
    assert [str(each.dose) for each in resolve(changed).arms["both"].regimen] == ["1 mg", "3 mg"]
    assert "both.1.dose, both.2.dose" in message_of(two, {"both.dose": "3 mg"})


def test_people_and_duration(scenario):
    changed = resolve(scenario.with_changes({"population.size": 7, "population.seed": "3", "duration": "21 d"}))
    assert (changed.population.size, changed.population.seed) == (7, 3)
    assert changed.duration == Quantity(21.0, "d")
    assert resolve(scenario.with_changes({"population.seed": 3})).population.size == 5


def test_people_can_be_given_to_a_scenario_without(scenario):
    alone = scenario.model_copy(update={"population": None})
    assert resolve(alone.with_changes({"population.seed": 3, "population.size": 4})).population.seed == 3
    assert "a seed moves nothing" in message_of(alone, {"population.seed": 3})


# --- changes of changes


def test_with_changes_leaves_the_original_alone(scenario):
    before = scenario.model_dump_json()
    changed = scenario.with_changes({"night.dose": "3 mg", "plasma.V": "x 2", "receptor": "direct", "duration": "15 d"})
    assert scenario.model_dump_json() == before
    assert scenario.changes == {}
    assert changed.text == scenario.text
    assert changed.changes == {"night.dose": "3 mg", "plasma.V": "x 2", "receptor": "direct", "duration": "15 d"}


def test_changes_are_merged_and_the_later_one_counts(scenario):
    twice = scenario.with_changes({"plasma.V": "40 L", "night.dose": "3 mg"}).with_changes({"plasma.V": "30 L"})
    assert twice.changes == {"night.dose": "3 mg", "plasma.V": "30 L"}
    assert values(twice, "plasma.V") == ["30 L", "30 L"]
    # also where the later one has another name for it
    assert values(scenario.with_changes({"V": "40 L"}).with_changes({"plasma.V": "30 L"}), "plasma.V")[0] == "30 L"
    assert values(scenario.with_changes({"plasma.V": "40 L"}).with_changes({"V": "30 L"}), "plasma.V")[0] == "30 L"
    assert line(scenario.with_changes({"night.1.dose": "2 mg"}).with_changes({"night.dose": "1 mg"})).dose.value == 1


def test_a_factor_multiplies_the_file_and_not_an_earlier_change(scenario):
    twice = scenario.with_changes({"night.dose": "3 mg"}).with_changes({"night.dose": "x 2"})
    assert line(twice).dose == Quantity(9.0, "mg")


def test_numbers_of_numpy_and_quantities_are_kept_as_plain_values(scenario):
    changes = {
        "plasma.F": np.float64(0.5),
        "population.size": np.int64(3),
        "night.dose": Quantity(2.0, "mg"),
        "night.missed": [np.int64(2)],
    }
    changed = scenario.with_changes(changes)
    assert changed.changes == {"plasma.F": 0.5, "population.size": 3, "night.dose": "2 mg", "night.missed": (2,)}
    assert [type(value) for value in changed.changes.values()] == [float, int, str, tuple]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 mg", "3 mg"),
        ("3mg", "3 mg"),
        ("x 0.5", "2.25 mg"),
        ("x0.5", "2.25 mg"),
        ("3e0 mg", "3 mg"),
        ("10 nmol", "10 nmol"),
    ],
)
def test_text_as_the_command_line_hands_it_over(scenario, text, expected):
    assert str(line(scenario.with_changes({"night.dose": text})).dose) == expected


def test_changes_of_a_file_and_of_python_are_one(scenario, tmp_path):
    text = (GOOD / "once.yaml").read_text().replace("model: small", f"model: {GOOD / 'small.yaml'}")
    (tmp_path / "q.yaml").write_text(text + "changes: {night.dose: x 0.5, receptor.Kd: 3 nmol/L, population.size: 3}\n")
    written = resolve(ldn.load_scenario(tmp_path / "q.yaml"))
    made = resolve(scenario.with_changes({"night.dose": "x 0.5", "receptor.Kd": "3 nmol/L", "population.size": 3}))
    assert written.arms == made.arms
    assert written.population == made.population
    assert [s.values for s in written.settings] == [s.values for s in made.settings]


# --- what cannot be changed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"plasma.VV": "3 L"}, "'plasma.VV' names nothing"),
        ({"plasma.VV": "3 L"}, "did you mean 'plasma.V'?"),
        ({"nigth.dose": "3 mg"}, "did you mean 'night.dose'?"),
        ({"receptor.rival": "lee"}, "did you mean 'receptor.rivals'?"),
        ({"night.doze": "3 mg"}, "did you mean 'night.dose'?"),
        ({"night": "3 mg"}, "'night' is an arm"),
        ({"night.": "3 mg"}, "'night' is an arm"),
        ({"night.2.dose": "3 mg"}, "the arm has no line '2'"),
        ({"night.-1.dose": "3 mg"}, "the arm has no line '-1'"),
        ({"night." + "9" * 5000 + ".dose": "3 mg"}, "the arm has no line"),
        ({"night.ladder": "3 mg"}, "ladder cannot be changed by an address"),
        ({"night.late": "3 h"}, "late cannot be changed by an address"),
        ({"population.sise": 3}, "did you mean 'population.size'?"),
        ({"population": 3}, "'population' is not one value"),
        ({"duration.d": "3 d"}, "names nothing"),
        ({"": 3}, "'' names nothing"),
        ({"plasma.V": "3 h"}, "3 h has another unit than 50 L"),
        ({"plasma.V": "lots"}, "is not a number with a unit"),
        ({"plasma.V": ["3 L", "4 L"]}, "a list is not a number with a unit"),
        ({"plasma.CL": "-3 L/h"}, "is negative"),
        ({"plasma.V": "x"}, "'x' is no factor"),
        ({"plasma.V": "x -2"}, "is no factor"),
        ({"plasma.V": "x 2 L"}, "is no factor"),
        ({"plasma.V": "× 2"}, "is no factor"),
        ({"plasma.V": "*2"}, "is no factor"),
        ({"plasma.V": "x 1e200"}, "is too large"),
        ({"plasma.V": "x " + "9" * 100_000}, "is no factor"),
        ({"night.infuse": "x 2"}, "has nothing to multiply"),
        ({"night.dose": "3 h"}, "3 h is not a dose"),
        ({"night.dose": "-3 mg"}, "is negative"),
        ({"night.dose": float("nan")}, "is not a finite number"),
        ({"night.dose": 10**400}, "is not a finite number"),
        ({"night.at": 22}, "22 is not a clock time"),
        ({"night.at": []}, "an empty list"),
        ({"night.at": ["08:00", "8:00"]}, "the same clock time twice"),
        ({"night.input": "orl"}, "did you mean 'oral'?"),
        ({"night.every": "1e-6 h"}, "doses"),
        ({"night.every": "1e-300 h"}, "doses"),
        ({"night.from": "day 30"}, "gives no dose within the run"),
        ({"morning.from": "day 12"}, "until day 9 is before from day 12"),
        ({"duration": "1000 years"}, "is not a usable length of time"),
        ({"duration": "14 mg"}, "is not a length of time"),
        ({"population.size": 1.5}, "1.5 is not a whole number"),
        ({"population.size": 0}, "0 is out of range"),
        ({"population.size": True}, "true is no value to change to"),
        ({"receptor": "nobody"}, "slot receptor has no alternative 'nobody'"),
        ({"receptor": 3}, "slot receptor has no alternative 3"),
        ({"receptor.rivals": "leee"}, "did you mean 'lee'?"),
        ({"plasma.rivals": "lee"}, "slot plasma has no rival set 'lee'"),
        ({"plasma.V": None}, "nothing is no value to change to"),
        ({"plasma.V": {"value": 3}}, "a mapping is no value to change to"),
        ({3: "3 L"}, "3 is not text"),
    ],
)
def test_a_change_that_cannot_be_made_says_why(scenario, changes, said):
    text = message_of(scenario, changes)
    assert said in text
    assert text.startswith("changes")
    assert len(text) < 1_500


def test_all_changes_that_cannot_be_made_are_told_at_once(scenario):
    with pytest.raises(LdnsimError) as caught:
        scenario.with_changes(
            {"plasma.VV": 3, "night.dose": "3 h", "duration": "x", "receptor": "x", "population.size": 0}
        )
    assert [fault.path[1] for fault in caught.value.faults] == [
        "duration",
        "population.size",
        "receptor",
        "plasma.VV",
        "night.dose",
    ]


def test_a_change_that_moves_nothing(scenario):
    quick = scenario.model_copy(update={"accounts": ("quick",)})
    assert "an account that uses delayed" in message_of(quick, {"receptor.k": "1 1/h"})
    assert "an account that uses delayed" in message_of(quick, {"receptor.rivals": "lee"})
    concentration_only = scenario.model_copy(update={"report": ("Cp",), "model": without_blockade(scenario.model)})
    assert "receptor.Kd moves nothing" in message_of(concentration_only, {"receptor.Kd": "3 nmol/L"})
    concentration_only.with_changes({"plasma.ka": "x 2"})


def without_blockade(model):
    """Outputs that say whether receptors are blocked are always shown: here there are none."""
    outputs = {name: output.model_copy(update={"kind": "other"}) for name, output in model.outputs.items()}
    return model.model_copy(update={"outputs": outputs})


def test_what_only_the_way_of_a_dose_uses_moves_something(scenario):
    scenario.with_changes({"plasma.tlag": "1 h"})
    scenario.with_changes({"plasma.F": "50 %"})
    vein = scenario.with_changes({"night.input": "vein", "morning.input": "vein"})
    assert "plasma.tlag moves nothing" in message_of(vein, {"plasma.tlag": "1 h"})


def test_a_fault_that_the_file_has_is_not_blamed_on_a_change(scenario):
    arm = scenario.arms["night"]
    late = arm.regimen[0].model_copy(update={"from_": 30})
    faulty = scenario.model_copy(update={"arms": {"night": arm.model_copy(update={"regimen": (late,)})}})
    assert message_of(faulty, {"night.dose": "3 mg"}).startswith("arms.night.regimen.0: this line gives no dose")
    assert message_of(scenario, {"morning.from": "day 12"}).startswith("changes.morning.from: until day 9 is before")


# --- accounts


def test_values_of_an_account_replace_those_of_its_parts(scenario):
    setting = setting_of(scenario.model, "slow")
    assert str(setting.values["receptor.Kd"]) == "4 nmol/L"
    assert str(setting.values["receptor.k"]) == "0.05 1/h"  # x 0.5
    assert str(setting.values["plasma.V"]) == "50 L"
    assert setting.parameters["receptor.k"].value == Quantity(0.1, "1/h")  # as the part has it


def test_a_sweep_may_name_what_another_of_its_axes_brings_in(tmp_path):
    text = (
        (GOOD / "once.yaml")
        .read_text()
        .replace("model: small", f"model: {GOOD / 'small.yaml'}")
        .replace("[quick, slow]", "[quick]")
    )
    file = tmp_path / "q.yaml"
    file.write_text(text + "sweep: {receptor: [direct, delayed], receptor.k: [0.1 1/h, x 2]}\n")
    assert ldn.load_scenario(file).sweep["receptor.k"] == ("0.1 1/h", "x 2")
    file.write_text(text + "sweep: {receptor.k: [0.1 1/h, x 2]}\n")
    with pytest.raises(LdnsimError, match=r"receptor\.k moves nothing"):
        ldn.load_scenario(file)


def test_every_axis_moves_something(scenario):
    """What the address check lets pass moves the output; what it refuses does not."""
    base = ldn.simulate(scenario.with_changes({"population.size": 1, "duration": "2 d", "morning.until": "day 2"}))
    for address, value in {"plasma.ka": "x 2", "receptor.Kd": "x 2", "plasma.tlag": "x 3", "night.dose": "x 2"}.items():
        changed = scenario.with_changes(
            {"population.size": 1, "duration": "2 d", "morning.until": "day 2", address: value}
        )
        moved = ldn.simulate(changed, times=base.time.values)
        assert not np.allclose(moved.occupancy.values, base.occupancy.values, equal_nan=True)
