"""The table as people read it: digits, units, differences, and a footnote for every number that is not there."""

from __future__ import annotations

import numpy as np
import pytest
from made_results import fail, made_result

import ldnsim as ldn
from ldnsim.metrics.number_text import DASH, formatted, style_of
from ldnsim.report.comparison import Comparison, comparison


def compared(table, output: str) -> Comparison:
    return next(each for each in comparison(table) if each.output == output)


def cells(each: Comparison, metric: str) -> list[tuple[str, str]]:
    """(text, difference) of a metric, a row after the other."""
    column = [c.metric for c in each.columns].index(metric)
    return [(row.cells[column].text, row.cells[column].difference) for row in each.rows]


@pytest.fixture(scope="module")
def result():
    return made_result()


@pytest.fixture(scope="module")
def table(result):
    return ldn.summarize(result)


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.0, "plain", "0"),
        (-1e-15, "plain", "0"),
        (3.59617, "plain", "3.60"),
        (9.996, "plain", "10.0"),
        (-12.64, "plain", "−12.6"),
        (1689.6, "plain", "1690"),
        (0.000418, "plain", "4.18e−4"),
        (2.5e7, "plain", "2.50e7"),
        (0.16494, "share", "16.5 %"),
        (1.0, "share", "100 %"),
        (0.144575, "rise", "+14.5 %"),
        (0.0, "rise", "0 %"),
        (9.4166667, "clock", "09:25"),
        (23.9999, "clock", "00:00"),
        (np.nan, "clock", DASH),
        (np.inf, "plain", DASH),
    ],
)
def test_numbers_as_people_read_them(value, style, text):
    assert formatted(value, style) == text


def test_each_kind_of_output_has_its_headlines(table):
    shown = {each.output: [column.metric for column in each.columns] for each in comparison(table)}
    assert shown == {
        "Cp": ["Cmax", "Tmax", "AUC_tau", "t_half"],
        "occupancy": ["mean", "trough", "unblocked_hours"],
        "endorphin": ["mean", "rebound_peak", "rebound_clock_time", "rebound_hours", "net_area"],
        "tone": ["mean", "rebound_peak", "rebound_clock_time", "rebound_hours", "net_area"],
    }


def test_titles_units_tags_and_order(table):
    each = compared(table, "Cp")
    assert each.title == "Drug in plasma"
    assert [column.unit for column in each.columns] == ["nmol/L", "h", "nmol/L·h", "h"]
    assert [(row.account, row.arm, row.evidence) for row in each.rows] == [
        ("first", "night", "hypothesis"),
        ("first", "morning", "hypothesis"),
        ("second", "night", "fitted"),
        ("second", "morning", "fitted"),
    ]
    assert [column.unit for column in compared(table, "occupancy").columns] == ["", "", "h"]


def test_numbers_and_differences_are_those_of_the_table(table):
    night, morning = (table.tone_mean.sel(account="first", arm=arm).item() for arm in ("night", "morning"))
    (text, none), (_, change) = cells(compared(table, "tone"), "mean")[:2]
    assert text == formatted(night, "plain")
    assert none == ""
    assert float(change.replace("−", "-")) == pytest.approx(morning - night, abs=0.0051)


def with_values(table, name: str, night: float, morning: float):
    changed = table.copy(deep=True)
    changed[name][:, 0], changed[name][:, 1] = night, morning
    return changed


@pytest.mark.parametrize(
    ("name", "night", "morning", "change"),
    [
        ("occupancy_mean", 0.525, 0.506, "−1.9 pp"),
        ("occupancy_mean", 0.1651, 0.16512, "0"),  # less than the digits shown
        ("tone_rebound_clock_time", 9.4, 18.65, "+9:15"),
        ("tone_rebound_clock_time", 1.0, 23.0, "−2:00"),  # round the clock, not +22 h
        ("tone_rebound_clock_time", 9.4, 9.401, "0"),
        ("tone_net_area", 0.118, -0.777, "−0.895"),
        ("tone_net_area", 0.0, -12.6, "−12.6"),
        ("Cp_Cmax", 3.6, 12.4, "+8.80"),  # the decimals of the finer number
    ],
)
def test_differences(table, name, night, morning, change):
    output, _, metric = name.partition("_")
    assert cells(compared(with_values(table, name, night, morning), output), metric)[1][1] == change


def test_what_is_not_there_is_a_dash_with_its_reason(table):
    changed = table.copy(deep=True)
    changed["tone_rebound_clock_time"][0, 1] = np.nan
    changed["tone_rebound_clock_time_reason"][0, 1] = "there is no rebound"
    each = compared(changed, "tone")
    column = [c.metric for c in each.columns].index("rebound_clock_time")
    cell = each.rows[1].cells[column]
    assert (cell.text, cell.difference) == (DASH, DASH)
    assert [each.footnotes[note] for note in cell.notes] == ["there is no rebound"]
    assert each.rows[0].cells[column].notes == ()


def test_a_run_that_failed_gives_its_reason_once(result):
    each = compared(ldn.summarize(fail(result, "gave up", account=1, arm=0)), "tone")
    assert each.footnotes == ("not solved: gave up",)
    assert {(cell.text, cell.notes) for cell in each.rows[2].cells} == {(DASH, (0,))}
    assert all(cell.difference == DASH for cell in each.rows[3].cells)  # nothing to compare with


def test_people_count_by_median_and_differences_are_within_each_person():
    crowd = made_result(people=5)
    table = ldn.summarize(crowd)
    table["Cp_Cmax"][0, 0] = [1.0, 2.0, 3.0, 4.0, 100.0]
    table["Cp_Cmax"][0, 1] = [2.0, 3.0, 4.0, 50.0, 101.0]
    each = compared(table, "Cp")
    assert cells(each, "Cmax")[:2] == [("3.00", ""), ("4.00", "+1.00")]  # +1 in all but one, where medians say +1 too
    table["Cp_Cmax"][0, 1] = [0.0, 1.0, 103.0, 104.0, 99.0]
    assert cells(compared(table, "Cp"), "Cmax")[1] == ("99.0", "−1.00")  # medians alone would say +96
    assert each.rows[0].cells[0].spread == "1.20 to 80.8"


def test_people_without_a_value_are_counted_in_a_footnote():
    crowd = fail(made_result(people=5), "gave up", account=0, arm=0, subject=2)
    each = compared(ldn.summarize(crowd), "Cp")
    assert each.footnotes[each.rows[0].cells[0].notes[0]] == "1 of 5 people have none, not solved: gave up"
    assert each.rows[0].cells[0].text != DASH


def test_styles_follow_from_the_metric_and_the_kind_of_output(table):
    assert style_of(table.occupancy_mean) == "share"
    assert style_of(table.tone_mean) == "plain"
    assert style_of(table.Cp_time_of_peak) == "clock"
    assert style_of(table.tone_rebound_peak) == "rise"


def test_the_style_of_one_column_does_not_depend_on_the_others(table):
    """It was told from which other metrics the table held: one alone read as a plain number."""
    assert style_of(table[["occupancy_mean"]].occupancy_mean) == "share"
