"""The dose calendar in words: every planned day told once, equal days folded, lines that fit a terminal."""

from __future__ import annotations

import random
import re
import time

import pytest

from ldnsim.dosing.dose_text import repeated_days
from ldnsim.report.calendar import calendar_lines
from ldnsim.scenario.changes import resolve


def told(ask, *lines: str, duration: str = "90 d", extra: str = "") -> list[str]:
    """The items of one arm's calendar, unwrapped."""
    question = ask(duration, "[transient]", extra=extra, a=", ".join(lines))
    found = list(calendar_lines(resolve(question), "a", question.start_day))
    assert max(map(len, found)) <= 80
    return [item.strip() for item in re.sub(r"\n +", " ", "\n".join(found)).removeprefix("- ").split("\n- ")]


ORAL = 'input: oral, at: "22:00"'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"{{{ORAL}, dose: 4.5 mg}}", ["day 1 to 90: 4.5 mg oral at 22:00"]),
        (
            '{input: oral, at: ["08:00", "20:00"], dose: 1 mg}',
            ["day 1 to 90: 1 mg oral at 08:00 and 20:00"],
        ),
        (f"{{{ORAL}, dose: 1 mg, every: 2 d}}", ["day 1 to 89, every 2 days: 1 mg oral at 22:00"]),
        (
            f"{{{ORAL}, dose: 1 mg, days: [mon, wed, fri]}}",
            ["day 1 to 89, every mon, wed and fri: 1 mg oral at 22:00"],
        ),
        (
            f"{{{ORAL}, dose: 1 mg, days: [mon, thu], every: 14 d}}",
            ["day 1 to 88, every 2 weeks on mon and thu: 1 mg oral at 22:00"],
        ),
        (
            '{input: intravenous, at: "08:00", dose: 1 mg, every: 36 h, infuse: 3 h}',
            [
                "day 1 to 88, every 3 days: 1 mg intravenous at 08:00 over 3 h",
                "day 2 to 89, every 3 days: 1 mg intravenous at 20:00 over 3 h",
            ],
        ),
        (
            f"{{{ORAL}, ladder: {{day 1: 1.5 mg, day 8: 3 mg, day 15: stop, day 20: 1 mg}}, until: day 20}}",
            [
                "day 1 to 7: 1.5 mg oral at 22:00",
                "day 8 to 14: 3 mg oral at 22:00",
                "day 20 (sat): 1 mg oral at 22:00",
            ],
        ),
        (
            f"{{{ORAL}, dose: 1 mg, missed: [day 3, day 4], late: {{day 6: 3 h, day 8: 30 min}}}}",
            [
                "day 1 to 2: 1 mg oral at 22:00",
                "day 3 to 4: 1 mg oral at 22:00, missed",
                "day 5 (fri): 1 mg oral at 22:00",
                "day 6 (sat): 1 mg oral at 22:00, taken 3 h late, day 7 at 01:00",
                "day 7 (sun): 1 mg oral at 22:00",
                "day 8 (mon): 1 mg oral at 22:00, taken 0.5 h late, day 8 at 22:30",
                "day 9 to 90: 1 mg oral at 22:00",
            ],
        ),
        (
            f"{{{ORAL}, dose: 1 mg, until: day 4, bottle: {{holds: 30, potency: [95 %, 105 %], t90: 60 d}}, "
            "jitter: 1 h, potency: [90 %, 110 %], split: quarters}",
            [
                "day 1 to 4: 1 mg oral at 22:00",
                "line 1: potency 90 % at 60 d after the first dose from each bottle of 30",
                "line 1, drawn for each person: dose times with SD 1 h, split tablets (4 pieces each) with CV 19 %, "
                "content of each tablet 90 % to 110 % of the label, content of each bottle of 30 doses "
                "95 % to 105 % of the label",
            ],
        ),
    ],
)
def test_words(ask, line, expected):
    assert told(ask, line) == expected


def test_lines_stand_in_the_order_of_their_first_days(ask):
    found = told(ask, f"{{{ORAL}, dose: 1 mg, from: day 9}}", f"{{{ORAL}, dose: 2 mg, until: day 10}}")
    assert found == ["day 1 to 10: 2 mg oral at 22:00", "day 9 to 90: 1 mg oral at 22:00"]


def test_no_dose(ask):
    question = ask("3 d", "[transient]", a="")
    assert list(calendar_lines(resolve(question), "a", "mon")) == ["- no dose"]


def test_what_the_first_person_misses_is_what_the_run_leaves_out(ask):
    import ldnsim as ldn

    line = f"{{{ORAL}, dose: 1 mg, miss: 20 %, missed: [day 2]}}"
    result = ldn.simulate(ask("20 d", "[transient]", a=line))
    days = sorted({int(time // 24) + 1 for time in result.missed_time.values.ravel()} - {2})
    assert days
    last = told(ask, line, duration="20 d")[-1]
    assert last == f"person 1 misses {len(days)} of 19 doses: day {', '.join(map(str, days))}"


def days_of(words: str) -> set[int]:
    """The days that an item tells of, read as a person does; weekdays count from a Monday."""
    span = re.match(r"day (\d+)(?: to (\d+))?", words)
    first = int(span[1])
    last = int(span[2] or first)
    rule = words.split(": ", maxsplit=1)[0]
    days = set(range(first, last + 1))
    if week := re.search(r"every (?:(\d+) weeks on )?((?:(?:mon|tue|wed|thu|fri|sat|sun)(?:, | and )?)+)", rule):
        names = re.findall("mon|tue|wed|thu|fri|sat|sun", week[2])
        wanted = {["mon", "tue", "wed", "thu", "fri", "sat", "sun"].index(name) for name in names}
        return {d for d in days if (d - 1) % 7 in wanted and (d - first) // 7 % int(week[1] or 1) == 0}
    if step := re.search(r"every (\d+) days(?: from day ([\d, and]+) on)?", rule):
        starts = [int(n) for n in re.findall(r"\d+", step[2] or str(first))]
        return {d for d in days if any(d >= start and (d - start) % int(step[1]) == 0 for start in starts)}
    return days


def test_any_calendar_is_told_whole_and_each_day_once():
    chance = random.Random(5)
    for _ in range(300):
        cycle = [chance.choice(["", "x", "x", "y"]) for _ in range(chance.choice([1, 2, 3, 7, 7, 10, 14]))]
        days = {day: word for day in range(1, 91) if (word := cycle[day % len(cycle)])}
        for day in chance.sample(range(1, 91), chance.choice([0, 0, 1, 4, 30])):
            days[day] = chance.choice(["x", "late"])
        days = dict(sorted(days.items()))
        again: dict[int, str] = {}
        for _, when, what in repeated_days(days, chance.choice([0, None])):
            for day in days_of(when):
                assert day not in again, when
                again[day] = what
        assert again == days


def test_ten_years_of_odd_days_are_told_quickly_and_cut_short(ask):
    start = time.process_time()
    found = told(ask, f"{{{ORAL}, dose: 1 mg, every: 37 h, from: day 2}}", duration="3650 d")
    assert time.process_time() - start < 5
    assert len(found) <= 42
