"""Figures of sweeps, of rival accounts, of tables, and of data over a simulation."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import pytest
import xarray as xr
from made_results import fail, made_result

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots import account_fan, dose_clock_map, dose_response, time_course, tornado, virtual_trial
from ldnsim.plots.clock import EPOCH_MS

DOSES = (0.5, 1.5, 4.5, 10.0, 50.0)
CLOCKS = (22.0, 8.0, 2.0)
SENSITIVE = pd.DataFrame(
    [("a.small", "1", "2", 9.0, 11.0), ("b.large", "1 h", "4 h", 30.0, 5.0), ("c.half", "0", "1", np.nan, 12.0)],
    columns=["address", "low", "high", "at_low", "at_high"],
)


def swept(people: int = 0) -> xr.Dataset:
    """A sweep of the night's dose, in the shape that `ldn.sweep` gives."""
    cells = [
        ldn.summarize(made_result(arms={"night": (22.0, dose), "morning": (8.0, 4.5)}, people=people, days=2))
        for dose in DOSES
    ]
    grid = xr.concat(cells, dim="night.dose").assign_coords({"night.dose": list(DOSES)})
    grid["night.dose"].attrs["units"] = "mg"
    return grid


def swept_twice() -> xr.Dataset:
    """The same at three clock times, which change nothing but a factor."""
    grid = swept()
    twice = xr.concat([grid.assign(tone_mean=grid.tone_mean * (1 + clock / 100)) for clock in CLOCKS], dim="night.at")
    twice = twice.assign_coords({"night.at": list(CLOCKS)})
    twice["tone_mean"].attrs = grid.tone_mean.attrs
    twice["night.at"].attrs["units"] = "h"
    return twice


def emptied(grid: xr.Dataset) -> xr.Dataset:
    grid["tone_mean"] = grid.tone_mean * np.nan
    return grid


def test_dose_response_draws_the_arm_that_is_swept_per_account():
    grid = swept()
    figure = dose_response(grid, "Cp_Cmax")
    assert [trace.name for trace in figure.data] == ["first (○ hypothesis)", "second (◐ fitted)"]
    for trace, account in zip(figure.data, ("first", "second"), strict=True):
        np.testing.assert_allclose(trace.x, DOSES)
        np.testing.assert_allclose(trace.y, grid.Cp_Cmax.sel(arm="night", account=account))
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "night.dose (mg)"
    assert "nmol/L" in figure.layout.yaxis.title.text
    other = dose_response(grid, "Cp_Cmax", arm="morning")
    assert np.ptp(other.data[0].y) == 0


def test_dose_response_names_a_peak_within_the_axis_but_not_at_its_end():
    grid = swept()
    assert not dose_response(grid, "Cp_Cmax").layout.annotations  # highest at the last dose
    bowl = grid.copy()
    bowl["tone_rebound_peak"] = grid.tone_rebound_peak.copy()
    bowl["tone_rebound_peak"].loc[{"account": "first", "arm": "night"}] = [0.01, 0.05, 0.14, 0.1, 0.0]
    named = [note.text for note in dose_response(bowl, "tone_rebound_peak").layout.annotations]
    assert "+14.0 % at 4.5 mg" in named


def test_dose_response_of_people_is_median_and_ribbon():
    grid = swept(people=30)
    low, high, median = dose_response(grid, "Cp_Cmax").data[:3]
    values = grid.Cp_Cmax.sel(arm="night", account="first")
    np.testing.assert_allclose(median.y, values.median("subject"))
    np.testing.assert_allclose(low.y, values.quantile(0.05, "subject"))
    np.testing.assert_allclose(high.y, values.quantile(0.95, "subject"))
    assert high.fill == "tonexty"


def test_a_cell_that_was_not_solved_is_a_gap():
    grid = swept()
    grid["Cp_Cmax"] = grid.Cp_Cmax.copy()
    grid["Cp_Cmax"][{"night.dose": 2}] = np.nan
    assert np.isnan(dose_response(grid, "Cp_Cmax").data[0].y).tolist() == [False, False, True, False, False]


def test_the_map_has_a_panel_per_account_clock_across_and_one_scale_of_colours():
    grid = swept_twice()
    figure = dose_clock_map(grid, "tone_mean")
    assert [trace.xaxis for trace in figure.data] == ["x", "x2"]
    first = figure.data[0]
    assert list(first.x) == sorted(CLOCKS)
    assert list(first.y) == list(DOSES)
    expected = grid.tone_mean.sel(account="first", arm="night").sortby("night.at").transpose("night.dose", "night.at")
    np.testing.assert_allclose(first.z, expected)
    assert {trace.coloraxis for trace in figure.data} == {"coloraxis"}
    assert figure.layout.coloraxis.cmin <= expected.min() < expected.max() <= figure.layout.coloraxis.cmax
    assert "clock time" in figure.layout.xaxis.title.text
    assert "(mg)" in figure.layout.yaxis.title.text
    assert "ratio" in figure.layout.coloraxis.colorbar.title.text


def test_colours_lie_around_nothing_where_values_do():
    grid = swept_twice()
    grid["tone_mean"] = (grid.tone_mean - grid.tone_mean.mean()).assign_attrs(grid.tone_mean.attrs)
    colours = dose_clock_map(grid, "tone_mean").layout.coloraxis
    assert colours.cmin == -colours.cmax


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: dose_response(swept(), "tone_meen"), "did you mean 'tone_mean'"),
        (lambda: dose_response(swept(), "tone_mean", arm="noon"), "no arm 'noon'"),
        (lambda: dose_response(swept_twice(), "tone_mean"), "2 axes .* expected 1; select a cell"),
        (lambda: dose_clock_map(swept(), "tone_mean"), r"1 axes \(night.dose\); expected 2"),
        (lambda: dose_response(ldn.summarize(made_result()), "tone_mean"), r"0 axes \(none\)"),
        (lambda: dose_clock_map(emptied(swept_twice()), "tone_mean"), "no value in any cell"),
        (lambda: tornado(SENSITIVE.drop(columns="at_low"), 10.0, "m"), "no column 'at_low'"),
        (lambda: tornado(SENSITIVE.iloc[:0], 10.0, "m"), "no rows"),
        (lambda: tornado(SENSITIVE, np.nan, "m"), "no value"),
        (lambda: virtual_trial(pd.DataFrame({"people": [10], "power": [80.0]})), "shares"),
        (lambda: virtual_trial(pd.DataFrame({"peoples": [10], "power": [0.8]})), "no column 'people'"),
        (lambda: account_fan(made_result(), "tone", arm="noon"), "no arm 'noon'"),
        (lambda: account_fan(made_result(), "tome"), "did you mean 'tone'"),
        (lambda: time_course(made_result(), "Cp", observed=pd.DataFrame({"time": [1.0]})), "no column 'value'"),
        (
            lambda: time_course(made_result(), "Cp", observed=pd.DataFrame({"time": [1], "value": ["much"]})),
            "values that are not numbers",
        ),
        (
            lambda: time_course(
                made_result(), "Cp", observed=pd.DataFrame({"time": [1], "value": [1], "arm": ["nigh"]})
            ),
            "did you mean 'night'",
        ),
    ],
)
def test_what_cannot_be_drawn_says_why(ask, message):
    with pytest.raises(LdnsimError, match=message):
        ask()


def test_the_fan_lies_between_the_accounts():
    result = made_result(arms={"night": (22.0, 4.5)})
    low, high, *curves = account_fan(result, "occupancy").data
    values = result.occupancy.isel(arm=0).values
    np.testing.assert_allclose(low.y, values.min(axis=0))
    np.testing.assert_allclose(high.y, values.max(axis=0))
    assert high.fill == "tonexty"
    assert [trace.name for trace in curves[:2]] == ["first (○ hypothesis)", "second (◐ fitted)"]
    assert curves[0].line.color != curves[1].line.color


def test_the_fan_of_a_single_time_and_of_failed_accounts():
    result = made_result(arms={"night": (22.0, 4.5)})
    assert account_fan(result.isel(time=[60]), "tone").data
    broken = fail(result, account=0, arm=0)
    figure = account_fan(broken, "tone")
    assert "Not solved and left out: first: gave up." in str([note.text for note in figure.layout.annotations])
    with pytest.raises(LdnsimError, match=r"no account was solved in night\. gave up"):
        account_fan(fail(broken, account=1, arm=0), "tone")


def test_ten_thousand_people_make_a_light_fan():
    text = pio.to_json(account_fan(made_result(people=10_000, days=2, step=1.0), "Cp"), engine="json")
    assert len(text) < 100_000


def test_the_longest_bar_of_a_tornado_is_on_top_and_bars_start_at_the_base():
    figure = tornado(SENSITIVE, 10.0, "rebound", unit="%")
    low, high = figure.data
    assert list(low.y) == ["a.small", "c.half", "b.large"]  # from the bottom up
    np.testing.assert_allclose(np.add(high.base, high.x), [11.0, 12.0, 5.0])
    np.testing.assert_allclose(np.add(low.base, low.x), [9.0, np.nan, 30.0])
    assert list(high.text) == ["2", "1", "4 h"]
    left, right = figure.layout.xaxis.range
    assert left < 5.0
    assert right > 30.0
    assert figure.layout.xaxis.title.text == "rebound (%)"
    few = tornado(SENSITIVE, 10.0, "rebound", most=1)
    assert list(few.data[0].y) == ["b.large"]
    assert "2 shorter bars not shown" in few.layout.title.text


def test_a_virtual_trial_is_a_line_per_assumption_with_its_interval():
    table = pd.DataFrame(
        {
            "people": [80, 20, 40, 20],
            "power": [0.8, 0.3, 0.5, 0.1],
            "low": [0.7, 0.2, 0.4, 0.0],
            "high": [0.9, 0.4, 0.6, 0.2],
            "assumption": ["full", "full", "full", "half"],
        }
    )
    lines = [trace for trace in virtual_trial(table).data if trace.mode == "lines+markers"]
    assert [line.name for line in lines] == ["full", "half"]
    assert list(lines[0].x) == [20, 40, 80]
    assert list(lines[0].y) == [0.3, 0.5, 0.8]
    assert len(virtual_trial(table).data) == 6
    assert virtual_trial(table).layout.shapes[0].y0 == 0.8
    assert len(virtual_trial(table[["people", "power"]].iloc[:1]).data) == 1


def test_observed_data_lie_over_every_account_in_the_colour_of_their_arm():
    result = made_result()
    data = pd.DataFrame(
        {"time": [24.0, 30.0], "value": [50.0, 2.0], "low": [40.0, 1.0], "high": [60.0, 3.0], "arm": "night"}
    )
    figure = time_course(result, "Cp", observed=data)
    drawn = [trace for trace in figure.data if trace.name == "observed, night"]
    curve = next(trace for trace in figure.data if trace.name == "night")
    assert [trace.yaxis for trace in drawn] == ["y", "y2"]
    np.testing.assert_allclose((np.asarray(drawn[0].x) - EPOCH_MS) / 3.6e6, [24.0, 30.0])
    assert list(drawn[0].y) == [50.0, 2.0]
    assert list(drawn[0].error_y.array) == [10.0, 1.0]
    assert drawn[0].marker.line.color == curve.line.color
    assert figure.layout.yaxis.range[1] > 60.0  # the axis holds the data, too
    plain = time_course(result, "Cp", observed=data[["time", "value"]])
    assert [trace.name for trace in plain.data].count("observed") == 2


def test_accounts_that_say_the_same_share_a_panel():
    result = made_result()
    result["Cp"][1] = result.Cp[0]
    result.Cp.attrs |= {"evidence_second": "hypothesis"}
    figure = time_course(result, "Cp")
    heading = next(note.text for note in figure.layout.annotations if note.name == "heading")
    assert "<b>All accounts agree</b>: first, second" in heading
    assert {trace.yaxis for trace in figure.data if trace.name == "night"} == {"y"}
    apart = result.copy(deep=True)
    apart.Cp.attrs |= {"evidence_second": "fitted"}  # what is known differs, whatever the numbers
    assert len([trace for trace in time_course(apart, "Cp").data if trace.name == "night"]) == 2


def test_texts_become_no_markup():
    bad = SENSITIVE.assign(address="<b>x", low="<i>1")
    figure = tornado(bad, 10.0, "<img>", unit="<u>")
    assert "<b>" not in str(figure.data[0].y)
    assert "<img>" not in figure.layout.title.text
    assert "<u>" not in figure.layout.xaxis.title.text


def test_figures_are_valid_plotly():
    for figure in (
        dose_response(swept(), "Cp_Cmax"),
        dose_clock_map(swept_twice(), "tone_mean"),
        account_fan(made_result(), "occupancy", log=True),
        tornado(SENSITIVE, 10.0, "m"),
        virtual_trial(pd.DataFrame({"people": [10, 20], "power": [0.2, 0.8]})),
    ):
        go.Figure(json.loads(pio.to_json(figure)))
        assert figure.layout.template == pio.templates["ldnsim"]
