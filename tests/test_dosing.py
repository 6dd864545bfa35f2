"""Regimens by the clock, against dose times listed by hand; and draws that belong to a person."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

from ldnsim.dosing import Arm, RegimenLine, count_doses, given_doses, planned_doses
from ldnsim.draws import generator
from ldnsim.fields import clock_text
from ldnsim.units import Quantity
from ldnsim.variability import normals, varied

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
    return given_doses(plan, duration, "mon", seed, subject)


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
