"""Regimens by the clock, against dose times listed by hand; and draws that belong to a person."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any

import pytest

from ldnsim.dosing.adherence import given_doses, missed_doses
from ldnsim.dosing.regimen import Arm, RegimenLine, count_doses, planned_doses
from ldnsim.foundation.clock import clock_text
from ldnsim.foundation.random_streams import generator
from ldnsim.foundation.units import Quantity
from ldnsim.model.variability import normals, varied

MG = Quantity(4.5, "mg")


def arm(*lines: dict[str, Any], **line: Any) -> Arm:
    usual = {"input": "oral", "dose": "4.5 mg", "at": "22:00"}
    return Arm(regimen=tuple(RegimenLine.model_validate({**usual, **each}) for each in (lines or (line,))))


def times(plan: Arm, duration: float, start_day: str = "mon") -> list[float]:
    return [dose.time for dose in planned_doses(plan, duration, start_day)]


@pytest.mark.parametrize(
    ("fields", "duration", "expected"),
    [
        ({}, 72, [22, 46, 70]),
        ({}, 70, [22, 46]),  # a dose at the very end is not given
        ({"at": "00:00"}, 72, [0, 24, 48]),
        ({"at": "8:30"}, 30, [8.5]),
        ({"at": ["22:00", "08:00"]}, 48, [8, 22, 32, 46]),  # sorted
        ({"from": "day 2"}, 72, [46, 70]),
        ({"from": 2, "until": "day 2"}, 96, [46]),
        ({"until": "day 1"}, 96, [22]),
        ({"every": "2 d"}, 144, [22, 70, 118]),
        ({"every": "2 d", "from": "day 2"}, 144, [46, 94, 142]),
        ({"every": "8 h", "at": "06:00"}, 48, [6, 14, 22, 30, 38, 46]),
        ({"every": "36 h", "at": "08:00"}, 120, [8, 44, 80, 116]),
        ({"every": "2 d", "at": ["08:00", "20:00"]}, 96, [8, 20, 56, 68]),
        ({"days": ["mon", "wed", "fri"]}, 168, [22, 70, 118]),
        ({"days": "Sunday"}, 336, [166, 334]),
        ({"days": ["sat"], "every": "7 d", "from": "day 6"}, 400, [142, 310]),
        ({"missed": ["day 2", "day 4"]}, 120, [22, 70, 118]),
        ({"missed": "day 2", "at": ["08:00", "20:00"]}, 72, [8, 20, 56, 68]),
        ({"late": {"day 2": "3 h"}}, 72, [22, 49, 70]),
        ({"late": {"day 3": "90 min"}}, 72, [22, 46, 71.5]),
        ({"late": {"day 3": "3 h"}}, 72, [22, 46]),  # too late for the run
        ({"late": {"day 1": "30 h"}}, 72, [46, 52, 70]),  # after the next one
        ({"from": "day 5"}, 72, []),
        ({"days": ["mon", "thu"], "every": "14 d"}, 24 * 28, [22, 94, 358, 430]),  # of every second week
        ({"days": ["mon", "thu"], "every": "14 d", "from": "day 8"}, 24 * 28, [190, 262, 526, 598]),
        ({"days": ["mon"], "every": "8 h", "at": "06:00"}, 72, [6, 14, 22]),
        ({"dose": None, "ladder": {1: "3 mg", 2: "stop", 4: "1.5 mg"}}, 120, [22, 94, 118]),
        ({"dose": None, "ladder": {1: "3 mg", 3: "0 mg"}}, 120, [22, 46]),
        ({"late": {"day 2": "0.1 h"}, "at": "00:00", "missed": "day 1"}, 72, [24.1, 48]),
        ({"late": {"day 1": "24 h"}, "missed": "day 2"}, 72, [46, 70]),  # taken on a day whose own dose is missed
    ],
)
def test_times(fields, duration, expected):
    assert times(arm(**fields), duration) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("start_day", "expected"), [("mon", [22, 70]), ("wed", [22, 142]), ("tue", [46, 166]), ("sun", [46, 94])]
)
def test_day_1_is_the_start_day(start_day, expected):
    assert times(arm(days=["mon", "wed"]), 168, start_day) == expected


def test_a_ladder_climbs_on_its_days():
    doses = planned_doses(arm(dose=None, ladder={"day 2": "1.5 mg", 4: "3 mg", "5": "4.5 mg"}), 144)
    assert [(dose.time, str(dose.amount)) for dose in doses] == [
        (46, "1.5 mg"),  # nothing before its first rung
        (70, "1.5 mg"),
        (94, "3 mg"),
        (118, "4.5 mg"),
        (142, "4.5 mg"),
    ]


def test_several_lines_are_one_list_in_time():
    plan = arm({"at": "22:00"}, {"at": "08:00", "dose": "1 mg", "input": "vein", "infuse": "90 min"})
    assert [(dose.time, dose.input, dose.infuse) for dose in planned_doses(plan, 48)] == [
        (8, "vein", 1.5),
        (22, "oral", 0),
        (32, "vein", 1.5),
        (46, "oral", 0),
    ]


@pytest.mark.parametrize(
    "fields", [{}, {"at": ["08:00", "20:00"]}, {"every": "1 h"}, {"until": "day 3"}, {"from": "day 4"}]
)
def test_the_count_is_an_upper_bound(fields):
    line = arm(**fields).regimen[0]
    listed = len(planned_doses(arm(**fields), 240))
    assert listed <= count_doses(line, 240) <= 1.2 * listed + 3 * len(line.at)


# --- draws

MONTH = 28 * 24.0


def given(plan: Arm, subject: int = 1, seed: int = 1, duration: float = MONTH):
    return given_doses(plan, duration, "mon", seed, [subject])[0]


def test_without_draws_everybody_takes_the_plan():
    plan = arm(missed=["day 3"], late={"day 5": "2 h"})
    assert given(plan, subject=17) == planned_doses(plan, MONTH)


def test_a_person_misses_the_same_doses_again_and_others_miss_others():
    plan = arm(miss="30 %")
    assert given(plan, 17) == given(plan, 17)
    assert len({tuple(dose.time for dose in given(plan, subject)) for subject in range(20)}) == 20
    assert given(plan, 17, seed=1) != given(plan, 17, seed=2)


def test_a_longer_run_begins_with_the_shorter_one():
    plan = arm(miss="30 %", jitter="30 min", potency=["90 %", "110 %"])
    assert given(plan, 3)[:9] == given(plan, 3, duration=MONTH * 3)[:9]


def occasions(plan: Arm, subject: int) -> set[int]:
    return {int(dose.time // 24) for dose in given(plan, subject)}


def test_arms_miss_the_same_doses():
    night, morning = arm(miss="30 %"), arm(miss="30 %", at="08:00", dose="1 mg")
    for subject in range(20):
        assert occasions(night, subject) == occasions(morning, subject)


def test_leaving_out_a_day_does_not_change_what_happens_on_others():
    every_day, some_days = (
        arm(miss="30 %", jitter="20 min"),
        arm(miss="30 %", jitter="20 min", missed=["day 2"], days=["mon", "tue", "fri"]),
    )
    for subject in range(20):
        taken = {dose.time for dose in given(every_day, subject)}
        assert {dose.time for dose in given(some_days, subject)} <= taken


def test_a_share_of_doses_is_missed():
    taken = sum(len(given(arm(miss="10 %"), subject)) for subject in range(400))
    assert taken / (400 * 28) == pytest.approx(0.9, abs=0.01)  # 3 standard errors
    assert not given(arm(miss="100 %"))
    assert len(given(arm(miss="0 %"))) == 28


def test_jitter_has_its_size_and_stays_within_three_of_it():
    shifts = [
        dose.time % 24 - 12 for subject in range(200) for dose in given(arm(jitter="30 min", at="12:00"), subject)
    ]
    assert statistics.mean(shifts) == pytest.approx(0, abs=0.03)
    assert statistics.stdev(shifts) == pytest.approx(0.5, rel=0.03)
    assert max(map(abs, shifts)) <= 1.5 + 1e-9


def test_nothing_is_taken_before_the_start():
    early = [dose.time for subject in range(100) for dose in given(arm(jitter="2 h", at="00:30"), subject)]
    assert min(early) == 0


def test_potency_lies_in_its_range():
    strengths = [dose.potency for subject in range(100) for dose in given(arm(potency=["90 %", "110 %"]), subject)]
    assert 0.9 <= min(strengths) < 0.901
    assert 1.099 < max(strengths) <= 1.1
    assert {dose.potency for dose in given(arm())} == {1.0}


def test_doses_know_how_late_they_are():
    doses = given(arm(late={"day 2": "3 h"}, jitter="30 min"), subject=4)
    for day, dose in enumerate(doses):
        assert dose.time - dose.late == pytest.approx(22 + 24 * day)
    assert abs(doses[1].late - 3) < 1.5
    assert doses[1].late != 3


@pytest.mark.parametrize(
    "fields", [{"miss": "30 %"}, {"miss": "30 %", "missed": ["day 3", "day 9"], "late": {"day 5": "30 h"}}, {}]
)
def test_missed_and_given_are_what_was_planned(fields):
    plan = arm(at=["08:00", "20:00"], **fields)
    everything = [round(dose.time, 9) for dose in planned_doses(arm(at=["08:00", "20:00"]), MONTH)]
    for subject in range(1, 6):
        left = missed_doses(plan, MONTH, "mon", 1, [subject])[0]
        found = [dose.time - dose.late for dose in given(plan, subject)] + [dose.time for dose in left]
        assert sorted(round(time, 9) for time in found) == everything
        assert all(not dose.late for dose in left)


def factors(subject: int = 1, duration: float = MONTH, **fields: Any) -> list[float]:
    return [dose.potency for dose in given(arm(**fields), subject, duration=duration)]


def test_pieces_of_a_tablet_weigh_what_the_tablet_does():
    for pieces in (2, 4):
        found = factors(split={"pieces": pieces, "cv": "20 %"})
        for first in range(0, 28, pieces):
            assert sum(found[first : first + pieces]) == pytest.approx(pieces, rel=1e-12)
        assert len(set(found)) == 28


@pytest.mark.parametrize(("split", "cv"), [("halves", 0.095), ("quarters", 0.19), ({"pieces": 2, "cv": "40 %"}, 0.4)])
def test_pieces_have_the_cv_asked_for(split, cv):
    found = [factor for subject in range(300) for factor in factors(subject, split=split)]
    assert min(found) > 0
    assert statistics.mean(found) == pytest.approx(1, abs=1e-9)
    assert statistics.pstdev(found) == pytest.approx(cv, rel=0.03)


def test_a_missed_half_stays_in_the_box():
    """The next dose taken is the other half, whenever that is."""
    found = factors(split="halves", miss="30 %", missed=["day 2"])
    pairs = [sum(found[first : first + 2]) for first in range(0, len(found) - 1, 2)]
    assert pairs == pytest.approx([2.0] * len(pairs))


def test_a_tablet_splits_alike_in_any_arm_and_in_the_same_sense_for_any_cv():
    few, many = factors(split={"pieces": 2, "cv": "5 %"}), factors(split={"pieces": 2, "cv": "15 %"}, at="08:00")
    assert [a > 1 for a in few] == [a > 1 for a in many]
    assert many == factors(split={"pieces": 2, "cv": "15 %"}, days=["mon", "tue", "wed"], duration=MONTH * 3)[:28]
    assert factors(split={"pieces": 2, "cv": "0 %"}) == [1.0] * 28


def test_halves_share_the_strength_of_their_tablet():
    found = factors(split={"pieces": 2, "cv": "0 %"}, potency=["90 %", "110 %"])
    assert found[::2] == found[1::2]
    assert len(set(found)) == 14


def test_a_bottle_has_one_strength():
    found = factors(bottle={"holds": 10, "potency": ["90 %", "110 %"]})
    assert [len(set(found[first : first + 10])) for first in (0, 10, 20)] == [1, 1, 1]
    assert len(set(found)) == 3
    assert all(0.9 <= strength <= 1.1 for strength in found)
    assert factors(bottle={"holds": 10, "potency": ["90 %", "110 %"]}, at="08:00", miss="0 %") == found
    assert factors(2, bottle={"holds": 10, "potency": ["90 %", "110 %"]})[0] != found[0]


def test_what_is_kept_weakens_from_the_first_dose_of_each_bottle_on():
    found = factors(bottle={"holds": 14, "t90": "7 d"})
    assert found[0] == found[14] == 1
    assert found[7] == found[21] == pytest.approx(0.9)
    assert found[:14] == pytest.approx([0.9 ** (day / 7) for day in range(14)])
    whole = factors(bottle={"holds": 28, "t90": "7 d", "potency": ["95 %", "95 %"]}, missed=["day 1", "day 9"])
    assert whole[0] == pytest.approx(0.95)  # opened on day 2
    assert whole[7] == pytest.approx(0.95 * 0.9 ** (8 / 7))  # day 10: the bottle ages on days that are missed, too


def test_without_draws_all_share_one_list():
    aged = given_doses(arm(bottle={"holds": 30, "t90": "60 d"}), MONTH, "mon", 1, range(1, 4))
    assert aged[0] is aged[1] is aged[2]
    drawn = given_doses(arm(split="halves"), MONTH, "mon", 1, range(1, 4))
    assert drawn[0] != drawn[1]


def test_ten_thousand_doses_by_the_clock():
    plan = arm(every="3 min", at="00:00", jitter="1 min", split="halves", bottle={"holds": 100, "t90": "1 d"})
    doses = given(plan, duration=500.0)
    assert len(doses) == 10_000
    assert all(before.time <= after.time for before, after in itertools.pairwise(doses))


def test_two_lines_at_the_same_time_are_two_doses():
    plan = arm({"dose": "1 mg"}, {"dose": "2 mg"})
    assert [(dose.time, str(dose.amount)) for dose in planned_doses(plan, 30)] == [(22, "1 mg"), (22, "2 mg")]


def test_streams_belong_to_seed_quantity_and_person():
    first = generator(1, "oral.ka", 17).random(4).tolist()
    assert generator(1, "oral.ka", 17).random(4).tolist() == first
    for other in (generator(2, "oral.ka", 17), generator(1, "oral.kb", 17), generator(1, "oral.ka", 18)):
        assert set(other.random(4).tolist()).isdisjoint(first)


def test_a_person_is_the_same_in_any_population():
    def factors(subjects):
        return varied("log_normal", 1.0, 0.5, 1.0, normals(1, "plasma.ka", subjects))

    small, large = factors(range(1, 21)), factors(range(1, 501))
    assert small.tolist() == large[:20].tolist()
    stretch = factors(range(18, 21))
    assert stretch.tolist() == large[17:20].tolist()
    assert len(set(large.tolist())) == 500
    assert statistics.median(large) == pytest.approx(1, rel=0.1)
    assert statistics.stdev([math.log(x) for x in large]) == pytest.approx(math.sqrt(math.log(1.25)), rel=0.1)


@pytest.mark.parametrize(
    ("clock", "text"), [(0, "00:00"), (22, "22:00"), (8.5, "08:30"), (23.9999, "00:00"), (10.7166, "10:43")]
)
def test_clock_times_as_text(clock, text):
    assert clock_text(clock) == text
