"""Figures say what is in the result: every curve where it belongs, every gap named, nothing hostile let through."""

from __future__ import annotations

import json
import subprocess
import sys
import time as clock

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
import xarray as xr
from made_results import OUTPUTS, fail, made_result

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots import by_arm, last_day, time_course
from ldnsim.plots.clock import EPOCH_MS, nights
from ldnsim.plots.frame import without_text
from ldnsim.plots.style import COLOURWAY, ladder
from ldnsim.plots.thinning import shape_points

LADDER = {f"mg_{dose}": (22.0, dose) for dose in (0.5, 1.5, 4.5, 10.0, 50.0)}


def lines(figure: go.Figure, name: str) -> list[go.Scatter]:
    """The drawn curves of an arm, top panel first."""
    return [trace for trace in figure.data if trace.name == name and trace.hoverinfo != "skip"]


def headings(figure: go.Figure) -> list[str]:
    return [note.text for note in figure.layout.annotations if note.name == "heading"]


def said(figure: go.Figure) -> str:
    return " ".join(str(note.text) for note in figure.layout.annotations)


def in_legend(figure: go.Figure) -> list[str]:
    return [trace.name for trace in figure.data if trace.name and trace.showlegend is not False]


def hours(trace: go.Scatter) -> np.ndarray:
    return (np.asarray(trace.x, dtype=float) - EPOCH_MS) / 3.6e6


@pytest.fixture(scope="module")
def result() -> xr.Dataset:
    return made_result()


@pytest.fixture(scope="module")
def crowd() -> xr.Dataset:
    return made_result(people=40)


def test_a_panel_per_account_a_curve_per_arm_with_the_numbers_of_the_result(result):
    figure = time_course(result, "tone")
    assert [trace.yaxis for trace in lines(figure, "night")] == ["y", "y2"]
    for row, account in enumerate(("first", "second")):
        trace = lines(figure, "morning")[row]
        assert hours(trace) == pytest.approx(result.time.values, abs=1e-6)
        assert np.asarray(trace.y) == pytest.approx(result.tone.sel(account=account, arm="morning").values, rel=1e-6)
    assert in_legend(figure) == ["night", "morning", "without drug", "night, 22:00 to 06:00", "dose"]
    assert figure.layout.template == pio.templates["ldnsim"]


def test_headings_name_account_evidence_and_the_reach_of_human_data(result):
    first, second = headings(time_course(result, "occupancy"))
    assert "<b>first</b>: The first account" in first
    assert "○ hypothesis" in first
    assert "◐ fitted" in second
    assert "human\u00a0data to 8 h after a single dose of 2 to 50 mg" in first
    assert "extrapolated beyond" in first
    assert "extrapolated" not in said(time_course(result, "Cp"))


def strips(figure: go.Figure) -> list[tuple[str, str, str]]:
    return [(shape.fillcolor, shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"]


def test_the_strip_turns_where_human_data_end(result):
    green, amber = strips(time_course(result, "occupancy", accounts=["first"]))
    # the morning dose on day 1 opens it; the night dose at 22:00 is covered until 06:00 on day 2
    assert green[1:] == ("2000-01-01 08:00", "2000-01-02 06:00")
    assert amber[1:] == ("2000-01-02 06:00", "2000-01-05 00:00")
    assert len(strips(last_day(result, "occupancy", accounts=["first"]))) == 1  # day 4 is all beyond


def test_doses_outside_the_measured_range_are_extrapolated_throughout():
    result = made_result(arms={"small": (22.0, 0.5), "usual": (22.0, 4.5)})
    assert "(throughout for small)" in headings(time_course(result, "occupancy"))[0]
    only_small = time_course(result, "occupancy", arms=["small"], accounts=["first"])
    assert "extrapolated throughout" in headings(only_small)[0]
    assert len(strips(only_small)) == 1


def test_axis_titles_carry_units(result):
    titles = {name: time_course(result, name).layout.yaxis.title.text for name in OUTPUTS}
    assert titles == {
        "Cp": "Drug in plasma<br>(nmol/L)",
        "occupancy": "Receptors held<br>(% of receptors)",
        "endorphin": "Own opioid<br>(fold of drug-free mean)",
        "tone": "Tone<br>(ratio to no drug)",
    }
    assert time_course(result, "Cp").layout.xaxis.title.text == "Time (days, clock time)"
    assert last_day(result, "Cp").layout.xaxis.title.text == "Clock time (h:min)"


def references(figure: go.Figure) -> list[float]:
    return [shape.y0 for shape in figure.layout.shapes if shape.type == "line"]


def test_reference_lines(result):
    assert references(time_course(result, "occupancy")) == [0.2, 0.2]
    assert references(last_day(result, "tone")) == [1.0, 1.0]
    assert references(last_day(result, "Cp")) == []
    assert "20 %: unblocked below" in in_legend(time_course(result, "occupancy"))


def test_the_drug_free_twin_is_drawn_where_there_is_one(result):
    twins = lines(time_course(result, "endorphin"), "without drug")
    assert [trace.yaxis for trace in twins] == ["y", "y2"]
    assert np.asarray(twins[0].y) == pytest.approx(result.endorphin_drug_free.sel(account="first").values, rel=1e-6)


def test_hover_tells_the_time_after_the_dose(result):
    trace = lines(time_course(result, "Cp"), "night")[0]
    at = dict(zip(hours(trace).round(6), np.asarray(trace.customdata).ravel(), strict=True))
    assert at[23.0] == pytest.approx(1.0)
    assert at[46.0] == pytest.approx(24.0)  # a sample at a dose is from before it
    assert at[46.5] == pytest.approx(0.5)
    assert at[20.0] == pytest.approx(-2.0)  # before the first dose: until it
    assert "h after dose" in trace.hovertemplate


def ticks(figure: go.Figure) -> list[go.layout.Shape]:
    """The rows of dose ticks of the top panel."""
    paths = [shape for shape in figure.layout.shapes if shape.type == "path" and shape.fillcolor is None]
    return [shape for shape in paths if shape.yref == "y domain"]


def test_dose_ticks_in_the_colour_of_their_arm(result):
    night, morning = ticks(time_course(result, "Cp"))
    assert (night.line.color, morning.line.color) == COLOURWAY[:2]
    assert night.path.count("M") == 4
    assert night.path.startswith("M2000-01-01_22:00,0V")
    assert morning.path.startswith("M2000-01-01_08:00,0V")  # both on the floor: no time is shared


def test_arms_with_the_same_times_share_ticks_and_others_do_not_hide_them():
    same = made_result(arms={"a": (22.0, 4.5), "b": (22.0, 9.0)})
    assert len(ticks(time_course(same, "Cp"))) == 1
    partly = made_result(arms={"a": (22.0, 4.5), "b": (22.0, 9.0)})
    partly["dose_time"][1, 0] = np.nan  # b starts a day later
    floors = [shape.path.split(",")[1].split("V")[0] for shape in ticks(time_course(partly, "Cp"))]
    assert len(set(floors)) == 2


def test_nights_are_shaded_from_22_to_6(result):
    assert nights(0.0, 48.0) == [(0.0, 6.0), (22.0, 30.0), (46.0, 48.0)]
    assert nights(7.0, 21.0) == []
    night = next(shape for shape in last_day(result, "Cp").layout.shapes if shape.type == "path" and shape.fillcolor)
    assert night.path == "M2000-01-01_00:00,0V1H2000-01-01_06:00V0ZM2000-01-01_22:00,0V1H2000-01-02_00:00V0Z"


def test_the_scale_buttons_give_both_axes_a_range_that_holds_the_curves(result):
    figure = time_course(result, "Cp")
    linear, log = (button.args[0] for button in figure.layout.updatemenus[0].buttons)
    assert {key: linear[key] for key in linear if key.endswith("type")} == {
        "yaxis.type": "linear",
        "yaxis2.type": "linear",
    }
    assert {key: log[key] for key in log if key.endswith("type")} == {"yaxis.type": "log", "yaxis2.type": "log"}
    top, low = result.Cp.values.max(), log["yaxis.range"][0]
    assert linear["yaxis.range"][0] == 0 < top < linear["yaxis.range"][1]
    assert 10 ** log["yaxis.range"][1] > top
    assert -4.3 < low - np.log10(top) < 0  # zeros before the first dose do not pull the axis down
    assert time_course(result, "Cp", log=True).layout.yaxis.type == "log"


def test_the_last_day_is_the_last_whole_day_of_the_window_by_clock_time(result):
    figure = last_day(result, "Cp")
    trace = lines(figure, "night")[0]
    assert hours(trace)[[0, -1]] == pytest.approx([0.0, 24.0])
    day = result.Cp.sel(account="first", arm="night", time=slice(72.0, 96.0))
    assert np.asarray(trace.y) == pytest.approx(day.values, rel=1e-6)
    assert figure.layout.title.text == "Drug in plasma on day 4"
    earlier = result.assign_attrs(window=[24.0, 50.0])
    assert last_day(earlier, "Cp").layout.title.text == "Drug in plasma on day 2"
    shifted = result.assign_attrs(window=np.array([32.0, 56.0]))  # as netCDF gives it back; no whole calendar day
    assert hours(lines(last_day(shifted, "Cp"), "night")[0])[[0, -1]] == pytest.approx([8.0, 32.0])


def test_a_population_is_median_ribbon_and_a_few_people(crowd):
    figure = time_course(crowd, "Cp", people=5)
    night = crowd.Cp.sel(account="first", arm="night").values
    top = [trace for trace in figure.data if trace.legendgroup == "night" and trace.yaxis == "y"]
    people, low, high, median = sorted(top, key=lambda trace: (trace.showlegend is not False, trace.line.width == 0))
    assert np.asarray(median.y) == pytest.approx(np.median(night, axis=0), rel=1e-5)
    assert np.asarray(low.y) == pytest.approx(np.quantile(night, 0.05, axis=0), rel=1e-5)
    assert np.asarray(high.y) == pytest.approx(np.quantile(night, 0.95, axis=0), rel=1e-5)
    assert high.fill == "tonexty"
    assert np.isnan(people.y).sum() == 5
    assert "5 to 95 %" in said(figure)
    assert [trace.showlegend for trace in lines(figure, "night")] == [True, False]


def test_lines_lie_over_all_ribbons(crowd):
    widths = [trace.line.width for trace in time_course(crowd, "Cp").data if trace.yaxis == "y" and trace.legendgroup]
    assert widths[-2:] == [2, 2]


def test_people_who_were_not_solved_are_left_out_and_counted(crowd):
    broken = fail(fail(crowd, account=0, arm=0, subject=3), account=0, arm=0, subject=7)
    figure = time_course(broken, "Cp")
    note = next(note.text for note in figure.layout.annotations if note.name == "note")
    assert "Not solved and left out: 2 of 40 people in first, night: gave up." in note
    keep = np.delete(crowd.Cp.sel(account="first", arm="night").values, [3, 7], axis=0)
    assert np.asarray(lines(figure, "night")[0].y) == pytest.approx(np.median(keep, axis=0), rel=1e-5)


def test_an_account_without_any_solution_says_so_in_its_panel(result):
    figure = time_course(fail(result, account=0, reason="step too small"), "tone")
    assert "Not solved: step too small" in said(figure)
    assert [trace.yaxis for trace in lines(figure, "night")] == ["y2"]
    nothing = fail(result)
    assert said(time_course(nothing, "tone")).count("Not solved: gave up") == 2
    assert "night" not in in_legend(last_day(nothing, "tone"))


def test_many_failures_are_summed_up():
    broken = fail(made_result(arms={f"arm{index}": (8.0, index + 1.0) for index in range(9)}))
    assert "And 13 more of these." in said(time_course(broken, "Cp"))


def test_a_single_time_is_a_mark(result):
    once = result.isel(time=[40])
    traces = lines(time_course(once, "Cp"), "night")
    assert [trace.mode for trace in traces] == ["markers", "markers"]
    with pytest.raises(LdnsimError, match="holds 1 sample; expected at least two"):
        last_day(once.assign_attrs(window=[0.0, 24.0]), "Cp")


def test_no_dose_at_all(result):
    never = result.isel(dose=[])
    figure = time_course(never, "occupancy")
    assert "dose" not in in_legend(figure)
    assert lines(figure, "night")[0].customdata is None
    assert "extrapolated" not in said(figure)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda r: time_course(r, "ton"), "did you mean 'tone'"),
        (lambda r: last_day(r, "status"), "has no output 'status'"),
        (lambda r: time_course(r, "tone", accounts=["frist"]), "did you mean 'first'"),
        (lambda r: time_course(r, "tone", arms=[]), "No arm was chosen"),
        (lambda r: time_course(r.isel(time=[]), "tone"), "'time' is empty"),
        (lambda r: time_course(r.isel(arm=[]), "tone"), "'arm' is empty"),
        (lambda r: time_course(r.expand_dims(dose_size=2), "tone"), "choose one cell first"),
        (lambda r: by_arm(ldn.summarize(r), "tone_rebound_peek"), "did you mean 'tone_rebound_peak'"),
        (lambda r: by_arm(ldn.summarize(r), "status"), "no metric 'status'"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(result, call, expected):
    with pytest.raises(LdnsimError, match=expected):
        call(result)


def test_subsets_keep_the_colours_of_their_arms(result):
    figure = time_course(result, "Cp", arms=["morning"], accounts=["second"])
    (trace,) = lines(figure, "morning")
    assert trace.line.color == COLOURWAY[1]
    assert headings(figure)[0].startswith("<b>second</b>")


def lightness(colour: str) -> float:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_rising_doses_go_from_light_to_dark():
    figure = last_day(made_result(arms=LADDER), "tone")
    shades = [lightness(lines(figure, name)[0].line.color) for name in LADDER]
    assert shades == sorted(shades, reverse=True)
    assert len(set(ladder(8))) == 8


def test_longer_than_a_year_counts_days():
    figure = time_course(made_result(days=400, step=6.0, accounts=["first"]), "Cp")
    assert "days" in figure.layout.xaxis.title.text
    assert lines(figure, "night")[0].x[-1] == pytest.approx(401.0)
    assert figure.layout.xaxis.type != "date"


def test_ten_thousand_people_make_a_light_figure():
    crowd = made_result(people=10_000, days=2, step=1.0)
    start = clock.perf_counter()
    text = pio.to_json(time_course(crowd, "Cp"), engine="json")
    assert clock.perf_counter() - start < 10
    assert len(text) < 400_000


def test_many_samples_are_thinned_to_those_that_matter():
    result = made_result(days=60, step=0.1, accounts=["first"])
    figure = time_course(result, "Cp", points=2400)
    trace = lines(figure, "night")[0]
    full = result.Cp.sel(account="first", arm="night").values
    assert len(trace.x) <= 1200
    again = np.interp(result.time.values, hours(trace), np.asarray(trace.y))
    assert np.abs(again - full).max() < 0.01 * full.max()


def test_telling_points_keep_spikes_and_small_values():
    time = np.linspace(0, 100, 2001)
    spike = np.where(np.arange(2001) == 777, 1.0, 0.0)
    assert 777 in shape_points(time, spike[None], 20)
    decay = np.exp(-time / 8)
    keep = shape_points(time, decay[None], 60)
    again = np.exp(np.interp(time, time[keep], np.log(decay[keep])))
    assert np.abs(np.log10(again / decay))[decay > 1e-4].max() < 0.02  # straight on a logarithmic axis too
    assert keep[0] == 0
    assert keep[-1] == 2000
    assert shape_points(time[:5], spike[None, :5], 20).tolist() == [0, 1, 2, 3, 4]


def test_by_arm_draws_accounts_over_arms():
    result = made_result(arms=LADDER)
    table = ldn.summarize(result)
    figure = by_arm(table, "occupancy_unblocked_hours")
    assert [trace.name for trace in figure.data] == ["first (○ hypothesis)", "second (◐ fitted)"]
    assert np.asarray(figure.data[0].y) == pytest.approx(table.occupancy_unblocked_hours.sel(account="first").values)
    assert list(figure.layout.xaxis.ticktext) == list(LADDER)
    assert figure.layout.yaxis.title.text == "Receptors held<br>unblocked (h)"


def test_by_arm_leaves_a_gap_and_draws_people_as_bars(crowd):
    table = ldn.summarize(fail(crowd, account=0, arm=1))
    figure = by_arm(table, "tone_mean")
    first, second = figure.data
    assert np.isnan(first.y[1])
    assert not np.isnan(second.y).any()
    low = table.tone_mean.sel(account="second", arm="night").quantile(0.05).item()
    assert second.y[0] - second.error_y.arrayminus[0] == pytest.approx(low, rel=1e-5)


def test_clock_metrics_stand_on_a_clock(result):
    figure = by_arm(ldn.summarize(result), "Cp_time_of_peak")
    assert tuple(figure.layout.yaxis.range) == (0, 24)
    assert "clock time" in figure.layout.yaxis.title.text


def test_texts_of_a_result_become_no_markup(result):
    bad = result.copy()
    bad.attrs["account_titles"] = json.dumps({"first": "<a href='x'>me</a>"})
    bad.attrs["arm_titles"] = json.dumps({"night": "<b>%{y}"})
    bad["tone"].attrs["long_name"] = "<img src=x>"
    figure = time_course(bad, "tone")
    assert "&lt;a href='x'&gt;me" in headings(figure)[0]
    assert "&lt;b&gt;%{y}" in in_legend(figure)
    assert figure.layout.title.text.startswith("&lt;img src=x&gt;")
    assert "<img" not in figure.layout.yaxis.title.text


def test_a_result_from_a_file_is_drawn_alike(result, tmp_path):
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as read:
        for name in OUTPUTS:
            assert pio.to_json(time_course(read, name)) == pio.to_json(time_course(result, name))
            assert pio.to_json(last_day(read, name)) == pio.to_json(last_day(result, name))


def test_bare_takes_title_and_notes_off_and_their_room(crowd):
    figure = time_course(crowd, "Cp")
    stripped = without_text(figure)
    assert stripped.layout.title.text is None
    assert "5 to 95 %" not in said(stripped)
    assert stripped.layout.height < figure.layout.height
    panel = [f.layout.height - f.layout.margin.t - f.layout.margin.b for f in (figure, stripped)]
    assert panel[0] == panel[1]
    assert figure.layout.title.text  # the original is as it was


def test_figures_are_valid_plotly(result, crowd):
    for made in (result, crowd):
        for figure in (
            time_course(made, "occupancy"),
            last_day(made, "tone"),
            by_arm(ldn.summarize(made), "tone_mean"),
        ):
            go.Figure(json.loads(pio.to_json(figure)))  # validates every property


def test_importing_the_package_loads_neither_plotly_nor_xarray():
    code = "import sys, ldnsim; sys.exit(bool({'plotly', 'xarray'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("pick", [{"arm": "night"}, {"account": "pet_pool"}, {"arm": "night", "account": "pet_pool"}])
def test_one_that_was_picked_is_drawn_as_it_is_among_others(pick):
    result = ldn.simulate(ldn.load_scenario("night_vs_morning"), times=range(49))
    some = result.sel(pick)
    last = ldn.plots.time_course(some, "endorphin").data
    assert last
    drawn = [np.asarray(trace.y, float) for trace in last if trace.y is not None and len(trace.y) > 10]
    night = result.endorphin.sel(arm="night", account=pick.get("account", "transient"))
    assert any(np.allclose(y[:5], night.values[:5]) for y in drawn)
    assert ldn.plots.last_day(some, "mu_occupancy").data
    assert ldn.plots.account_fan(some, "mu_occupancy").data
    assert ldn.plots.calendar(some).data
    assert ldn.plots.by_arm(ldn.summarize(some), "opioid_tone_mean").data
