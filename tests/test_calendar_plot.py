"""The dose calendar as a figure: every dose where it belongs, nothing lost that was missed, late or long."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest
from made_results import made_result

import ldnsim as ldn
from ldnsim.dosing.dose_text import missed_words
from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots import calendar
from ldnsim.plots.frame import without_text
from ldnsim.report.page import page
from ldnsim.report.page_figures import calendar_figure

MOVED = "from planned to actual time"


def line(**fields: str) -> str:
    usual = {"input": "oral", "dose": "4.5 mg", "at": '"22:00"'}
    return "{" + ", ".join(f"{name}: {value}" for name, value in {**usual, **fields}.items()) + "}"


def drawn(figure: go.Figure, name: str, panel: int = 0) -> list[go.Scatter]:
    axis = "x" if panel == 0 else f"x{panel + 1}"
    return [trace for trace in figure.data if trace.name == name and (trace.xaxis or "x") == axis and trace.y[0]]


def points(figure: go.Figure, name: str, panel: int = 0) -> list[tuple[int, float]]:
    """(day, clock time) of the marks of a name in a panel."""
    return [(d, c) for t in drawn(figure, name, panel) if t.mode == "markers" for d, c in zip(t.y, t.x, strict=True)]


def stretches(figure: go.Figure, name: str) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """((day, clock time) at the start, at the end) of the lines of a name."""
    (trace,) = (trace for trace in drawn(figure, name) if trace.mode == "lines")
    ends = [(d, c) for d, c in zip(trace.y, trace.x, strict=True) if d is not None]
    return list(zip(ends[::2], ends[1::2], strict=True))


def test_a_row_per_day_and_a_panel_per_arm(ask):
    question = ask("5 d", "[transient]", night=line(), morning=line(at='"08:00"', dose="1.5 mg", every="2 d"))
    figure = calendar(question)
    assert points(figure, "4.5 mg oral") == [(day, 22) for day in range(1, 6)]
    assert points(figure, "1.5 mg oral", 1) == [(1, 8), (3, 8), (5, 8)]
    assert not points(figure, "1.5 mg oral")
    assert tuple(figure.layout.yaxis.range) == (5.6, 0.4)  # day 1 on top
    assert list(figure.layout.yaxis.ticktext) == ["Mon 1", "Tue 2", "Wed 3", "Thu 4", "Fri 5"]
    assert figure.layout.yaxis2.matches == "y"
    assert [note.text for note in figure.layout.annotations] == ["<b>night</b>", "<b>morning</b>"]
    assert figure.layout.template == pio.templates["ldnsim"]
    nights = [(shape.xref, shape.x0, shape.x1) for shape in figure.layout.shapes]
    assert nights == [("x", 0, 6), ("x", 22, 24), ("x2", 0, 6), ("x2", 22, 24)]


def test_missed_doses_are_rings_and_late_ones_have_a_line_over_midnight(ask):
    figure = calendar(ask("6 d", "[transient]", a=line(missed="[day 2]", late="{day 3: 3 h, day 5: 1 h}")))
    assert points(figure, "missed") == [(2, 22)]
    assert drawn(figure, "missed")[0].marker.symbol == "circle-open"
    assert points(figure, "4.5 mg oral") == [(1, 22), (4, 1), (4, 22), (5, 23), (6, 22)]
    assert stretches(figure, MOVED) == [((3, 22), (3, 24)), ((4, 0), (4, 1)), ((5, 22), (5, 23))]
    ticks = [t for t in figure.data if t.legendgroup == MOVED and t.mode == "markers"]
    assert [(d, c) for t in ticks for d, c in zip(t.y, t.x, strict=True)] == [(3, 22), (5, 22)]
    words = " ".join(text for trace in figure.data for text in trace.text or ())
    assert "day 2, 22:00, 4.5 mg oral, missed" in words
    assert "day 4, 01:00, 4.5 mg oral, 3 h late" in words


def test_a_dose_later_than_a_day_has_one_line_across_the_rows(ask):
    figure = calendar(ask("6 d", "[transient]", a=line(late="{day 2: 50 h}")))
    assert stretches(figure, MOVED) == [((2, 22), (5, 0))]


def test_infusions_are_bars_that_go_on_the_next_day_and_end_with_the_run(ask):
    drip = line(input="intravenous", at='"20:00"', infuse="30 h")
    figure = calendar(
        ask("4 d", "[transient]", a=line(input="intravenous", at='"20:00"', infuse="30 h", until="day 1"))
    )
    bars = stretches(figure, "4.5 mg intravenous, infusion")
    assert bars == [((1, 20), (1, 24)), ((2, 0), (2, 24)), ((3, 0), (3, 2))]
    until_the_end = stretches(calendar(ask("2 d", "[transient]", a=drip)), "4.5 mg intravenous, infusion")
    assert until_the_end == [((1, 20), (1, 24)), ((2, 0), (2, 24)), ((2, 20), (2, 24))]


def test_colour_is_the_label_and_size_what_was_in_it(ask):
    steps = line(split="quarters").replace("dose: 4.5 mg", "ladder: {day 1: 1.5 mg, day 4: 4.5 mg}")
    question = ask("7 d", "[transient]", a=steps)
    figure = calendar(question)
    small, large = drawn(figure, "1.5 mg oral")[0].marker, drawn(figure, "4.5 mg oral")[0].marker
    assert small.color != large.color
    taken = ldn.simulate(question).dose_taken.values.ravel()
    assert (np.diff(np.asarray(large.size)[np.argsort(taken[3:])]) >= 0).all()
    assert len(set(large.size)) > 2
    assert max(large.size) > max(small.size)
    assert "dose actually contained" in figure.layout.meta["notes"][0]


def test_ways_have_signs_and_scales_of_their_own(ask):
    lines = ", ".join([line(), line(input="depot", dose="380 mg", at='"10:00"', until="day 1")])
    figure = calendar(ask("3 d", "[transient]", a=lines))
    oral, depot = drawn(figure, "4.5 mg oral")[0].marker, drawn(figure, "380 mg depot")[0].marker
    assert (oral.symbol, depot.symbol) == ("diamond", "circle")
    assert oral.size == depot.size


def test_the_calendar_of_a_result_is_that_of_its_scenario(ask):
    question = ask("6 d", "[transient]", a=line(miss="30 %", jitter="1 h", potency="[90 %, 110 %]"))
    ahead, after = calendar(question), calendar(ldn.simulate(question))
    assert pio.to_json(ahead) == pio.to_json(after)


def test_one_person_of_a_population(ask):
    question = ask("6 d", "[transient]", extra="population: {size: 3, seed: 4}", a=line(jitter="1 h"))
    result = ldn.simulate(question)
    second = calendar(result, subject=2)
    times = result.dose_time.sel(subject=2, arm="a").values
    hours = [24 * (day - 1) + clock for day, clock in points(second, "4.5 mg oral")]
    assert hours == pytest.approx(times.tolist(), abs=1e-3)
    assert points(calendar(question, subject=2), "4.5 mg oral") == points(second, "4.5 mg oral")
    assert points(calendar(question, subject=3), "4.5 mg oral") != points(second, "4.5 mg oral")
    assert second.layout.title.text.endswith("person 2 of 3")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda q, r: calendar(q, subject=4), "the scenario has no person 4"),
        (lambda q, r: calendar(r, subject=0), "the result has no person 0"),
        (lambda q, r: calendar(q, arms=["nigth"]), "did you mean 'night'?"),
        (lambda q, r: calendar(r.drop_vars("dose_time")), "holds no doses"),
        (lambda q, r: calendar(q, arms=[]), "No arm was chosen"),
    ],
)
def test_what_cannot_be_drawn_is_told(ask, call, said):
    question = ask("1 d", "[transient]", extra="population: {size: 3, seed: 4}", night=line())
    with pytest.raises(LdnsimError, match=said):
        call(question, ldn.simulate(question))


def test_no_dose_and_many(ask):
    assert not points(calendar(ask("3 d", "[transient]", none="")), "4.5 mg oral")
    steps = line(every="3 min", at='"00:00"', jitter="1 min")
    figure = calendar(ask("500 h", "[transient]", a=steps))
    assert len(points(figure, "4.5 mg oral")) == 10_000
    ladder = ", ".join(f"day {day}: {day} mg" for day in range(1, 31))
    many = calendar(ask("30 d", "[transient]", a=line().replace("dose: 4.5 mg", f"ladder: {{{ladder}}}")))
    assert len(points(many, "1 to 30 mg oral")) == 30  # one name for sizes that no legend can hold
    years = calendar(ask("3650 d", "[transient]", a=line(every="7 d")))
    assert len(years.layout.yaxis.tickvals) < 20
    assert years.layout.height < 1000


def test_figures_are_valid_and_keep_hostile_texts_as_texts(ask):
    result = made_result()
    result.attrs["arm_titles"] = json.dumps({"night": "<img src=x>", "morning": "%{y}"})
    result["dose_input"][:] = "<b>way"
    figure = calendar(result)
    assert figure.layout.annotations[0].text == "<b>&lt;img src=x&gt;</b>"
    assert all("<b>" not in (trace.name or "") + "".join(trace.text or ()) for trace in figure.data)
    go.Figure(json.loads(pio.to_json(figure)))
    assert without_text(figure).layout.title.text is None


def test_the_page_has_a_calendar_where_words_do_not_do(ask):
    plain = made_result()
    assert calendar_figure(plain, phrases=2) is None
    odd = ldn.simulate(ask("6 d", "[transient]", a=line(missed="[day 2, day 3]"), b=line()))
    html = page(odd, ldn.summarize(odd), [])
    assert 'data-for="calendar"' in html
    assert "2 doses missed: day 2 to 3" in html
    drip = ldn.simulate(ask("2 d", "[transient]", a=line(input="intravenous", infuse="90 min")))
    assert "4.5 mg intravenous at 22:00 over 1.5 h" in page(drip, ldn.summarize(drip), [])
    assert calendar_figure(plain.isel(dose=[0] * 800), phrases=9) is None  # too heavy for a page


def test_missed_doses_in_words():
    assert missed_words([]) == []
    assert missed_words([22.0]) == ["1 dose missed: day 1"]
    assert missed_words([22.0 + 24 * day for day in range(10)]) == ["10 doses missed: day 1 to 10"]
    odd = missed_words([22.0 + 24 * day * day for day in range(10)])
    assert odd == ["10 doses missed: days 1, 2, 5, 10, 17, 26, 37, 50 and 2 more until day 82"]
    assert missed_words([22.0, 70.0, 166.0], 0) == ["3 doses missed: days 1, 3 and 7"]
