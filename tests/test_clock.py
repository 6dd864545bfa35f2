"""Clock times as text: one rule, the same in calendars, tables, pages, sliders and sweeps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ldnsim as ldn
from ldnsim.dosing.dose_text import DoseEntry, dose_words
from ldnsim.dosing.regimen import DAY
from ldnsim.foundation.clock import clock_change_text, clock_text, day_of, minute_of, parse_clock
from ldnsim.metrics.number_text import formatted

LATE = 22 + 30 / 3600  # 30 s after 22:00: 22:01 in one place and 22:00 in another, once


def test_half_a_minute_late_reads_the_same_everywhere():
    assert clock_text(LATE) == formatted(LATE, "clock") == "22:01"
    assert dose_words([DoseEntry(LATE, 4.5, "oral")]) == ["day 1: 4.5 mg oral at 22:01"]


@pytest.mark.parametrize(("time", "text", "day"), [(0.0, "00:00", 1), (23.9999, "00:00", 2), (47.5, "23:30", 2)])
def test_midnight(time, text, day):
    assert (clock_text(time), day_of(time)) == (text, day)


@given(st.floats(0, 1e5))
def test_text_and_day_belong_to_the_same_minute(time):
    hour, minute = map(int, clock_text(time).split(":"))
    assert (day_of(time) - 1) * 1440 + hour * 60 + minute == minute_of(time)
    assert abs(minute_of(time) / 60 - time) <= 0.5 / 60 + 1e-7


@given(st.integers(0, 1439))
def test_what_is_written_is_read_back(minute):
    assert minute_of(parse_clock(clock_text(minute / 60))) == minute


def test_last_bits_are_no_half_minute():
    assert clock_text(0.1 * 3 * 10) == "03:00"
    assert minute_of(22.5 / 60 + 1e-12) == minute_of(22.5 / 60 - 1e-12)


def test_changes():
    assert [clock_change_text(hours) for hours in (9.25, -9.25, 0.001, 24.0)] == ["+9:15", "−9:15", "0", "+24:00"]


def test_nobody_else_formats_clock_times():
    """Five modules did, with two rounding rules."""
    pattern = re.compile(r"// 60:02d|% 1440|\* 60\) %")
    found = [
        path.name
        for path in Path(ldn.__file__).parent.rglob("*.py")
        if path.name != "clock.py" and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert DAY == 24
