"""The page: one file, no network, the answer first, nothing of a hostile text gets out of its place."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from made_results import OUTPUTS, fail, made_result

import ldnsim as ldn
from ldnsim.dosing.dose_text import DoseEntry, dose_words
from ldnsim.report.answer import answers
from ldnsim.report.calendar import calendar_lines
from ldnsim.report.page import page
from ldnsim.scenario.changes import resolve

HOSTILE = '</script><script>alert(1)</script> & "quotes" <b> <!-- %{y} ${x} \u2028'
LIMIT = 6e6


def page_of(result: xr.Dataset) -> str:
    table = ldn.summarize(result)
    return page(result, table, answers(result, table))


def own_text(html: str) -> str:
    """The page without its scripts."""
    return re.sub(r"<script\b.*?</script>", "", html, flags=re.S)


def read(html: str) -> str:
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<style>.*?</style>", "", own_text(html), flags=re.S)).split())


def figures(html: str) -> dict[str, dict]:
    """id -> the figure that the page's script draws there."""
    found = re.findall(r'<script type="application/json" class="figure" data-for="([^"]+)">(.*?)</script>', html, re.S)
    return {name: json.loads(text) for name, text in found}


class Nesting(HTMLParser):
    """Complains about tags that close what is not open; collects ids, links and event handlers."""

    EMPTY = ("meta", "br", "link", "img", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if tag == "a" else []
        self.loads += [f"{tag} {name}" for name in named if name in ("src", "srcset", "data") or name.startswith("on")]
        self.loads += [tag] if tag in ("link", "iframe", "img", "object", "embed", "base", "form") else []

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def result():
    return ldn.simulate(ldn.load_scenario("night_vs_morning"))


@pytest.fixture(scope="module")
def html(result):
    return page_of(result)


@pytest.fixture(scope="module")
def made():
    return made_result()


def test_question_and_answer_come_first(html, result):
    text = own_text(html)
    order = [
        f"<h1>{result.attrs['question']}</h1>",
        "<b>transient</b>",
        "<b>pet_pool</b>",
        result.attrs["disclaimer"],
        ">Arms</h2>",
        ">Time courses</h2>",
        ">Metrics</h2>",
        ">Evidence</h2>",
        ">Limitations</h2>",
        ">Reproduce</h2>",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "day 1 to 28: 4.5 mg oral at 22:00 (28 doses)" in text


def test_every_output_has_its_last_day_and_its_course_and_tone_comes_first(made):
    names = list(figures(page_of(made)))
    assert names == [
        f"{kind}-{name}" for name in ("tone", "endorphin", "occupancy", "Cp") for kind in ("day", "course")
    ]


def test_tables_compare_arms(made):
    text = read(page_of(made))
    assert "Metrics over day 4, 00:00 to 24:00 (hours 72 to 96 of the run)" in text
    table = ldn.summarize(made)
    assert f"{100 * table.occupancy_mean.sel(account='first', arm='night').item():.1f} %" in text
    assert "difference of morning" in text
    assert text.count("rebound peak: highest excess over the drug-free twin") == 1  # told once, though in two tables


def test_many_arms_are_drawn_against_each_other():
    arms = {f"mg_{dose}": (22.0, float(dose)) for dose in (1, 3, 5, 50)}
    names = list(figures(page_of(made_result(arms=arms))))
    assert names[:3] == ["arms-tone-rebound_peak", "arms-tone-mean", "arms-occupancy-unblocked_hours"]


def test_arms_with_equal_peaks_of_an_effect_are_told_apart_by_what_is_left_of_it():
    made = made_result(arms=dict.fromkeys(("alone", "b", "c", "d"), (8.0, 4.5)))
    made["tone"] = made.tone.copy(data=made.occupancy.values)
    made["tone"].attrs = {"kind": "effect", "units": "1", "evidence": "hypothesis", "long_name": "Effect"}
    assert "arms-tone-least_of_first" in figures(page_of(made))
    made["tone"][:, 2] *= 0.5
    assert "arms-tone-peak" in figures(page_of(made))


def test_tags_limits_and_provenance(html, result):
    text = read(html)
    for part in (
        "○ hypothesis not determined by human data",
        "Extrapolated mu occupancy",
        result.attrs["cannot_say"],
        "ldnsim run night_vs_morning",
        "ldnsim describe ldn",
        result.attrs["model_hash"],
        "format: ldnsim-scenario/1",
    ):
        assert part in text
    assert '<span class="tag fitted">' in html


def test_changes_are_told_and_can_be_run_again(made):
    changed = made.assign_attrs(changes=json.dumps({"night.dose": "3 mg", "occupancy.EC50": "x 0.5", "sweep": [1, 2]}))
    text = unescape(own_text(page_of(changed)))
    assert "ldnsim run made_up --set 'night.dose=3 mg' --set 'occupancy.EC50=x 0.5' --set sweep=1,2" in text
    assert "Changed from the scenario file" in text
    assert "Changed from the scenario file" not in page_of(made)


def test_one_file_that_loads_nothing(html):
    parser = Nesting()
    parser.feed(html)
    assert parser.open == []
    assert parser.loads == []
    assert all(link.startswith("#") and link[1:] in parser.ids for link in parser.links)
    assert len(parser.ids) == len(set(parser.ids))
    assert "default-src 'none'" in html
    assert html.count("plotly.js v") == 1  # inlined once


def test_accessible_bones(html):
    assert '<html lang="en">' in html
    assert html.count("<h1") == 1
    assert len(re.findall(r"<th(?![^>]*scope=)[^>]*>", own_text(html).replace("<thead>", ""))) == 0
    places = re.findall(r'<div class="plot"[^>]*>', html)
    assert places
    assert all('role="img"' in place and "aria-label=" in place for place in places)


@pytest.mark.parametrize("name", ["night_vs_morning", "dose_sizes", "first_dose"])
def test_pages_of_the_library_stay_small(name):
    assert len(page_of(ldn.simulate(ldn.load_scenario(name))).encode()) < LIMIT


def test_a_long_run_with_many_arms_and_people_stays_small():
    arms = {f"arm{index}": (index * 1.5, float(9 - index)) for index in range(8)}
    long = made_result(accounts=("a", "b", "c"), arms=arms, days=180, step=1.0)
    assert len(page_of(long).encode()) < LIMIT
    people = made_result(accounts=("a", "b", "c"), arms=arms, days=28, step=1.0, people=30)
    assert len(page_of(people).encode()) < LIMIT


def test_same_result_same_bytes(html, result):
    assert page_of(result) == html


def test_a_file_gives_the_same_page(html, result, tmp_path):
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as read_back:
        assert page_of(read_back.load()) == html


def test_lists_of_any_length_survive_a_file(made, tmp_path):
    for sentences in ([], ["One."], ["One.", "Two."]):
        made.assign_attrs(extrapolated=sentences).to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
        with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as read_back:
            text = page_of(read_back.load())
        assert [sentence for sentence in ("One.", "Two.") if f"<li>{sentence}</li>" in text] == sentences
        assert ("<h3>Extrapolated</h3>" in text) == bool(sentences)


def test_hostile_text_stays_text(made):
    bad = made.copy(deep=True)
    texts = (
        "question",
        "scenario",
        "cannot_say",
        "scenario_text",
        "model",
        "model_hash",
        "package_version",
        "disclaimer",
    )
    bad.attrs |= dict.fromkeys(texts, HOSTILE) | {"extrapolated": [HOSTILE], "changes": json.dumps({HOSTILE: HOSTILE})}
    bad.attrs |= {
        "account_titles": json.dumps({"first": HOSTILE}),
        "arm_titles": json.dumps({"night": HOSTILE, "morning": "m"}),
    }
    for name in OUTPUTS:
        bad[name].attrs |= {"long_name": HOSTILE, "observed": HOSTILE}
    bad = fail(bad, HOSTILE, account=1, arm=1)
    table = ldn.summarize(bad)
    for data in [*bad.data_vars.values(), *table.data_vars.values()]:
        data.attrs |= {"evidence_first": HOSTILE}
    html = page(bad, table, [HOSTILE, f"first: {HOSTILE}"])
    parser = Nesting()
    parser.feed(html)
    assert parser.open == []
    assert parser.loads == []
    assert "alert(1)" not in re.sub(
        r"&lt;script&gt;alert\(1\)|\\u003cscript\\u003ealert\(1\)|\\u0026lt;script\\u0026gt;alert\(1\)", "", html
    )
    plain = page_of(made)
    assert html.count("<script") == plain.count("<script")
    assert html.count("</script") == plain.count("</script")
    assert figures(html).keys() == figures(plain).keys()


def test_accounts_and_arms_with_odd_names_make_no_markup():
    odd = made_result(accounts=("<i>one</i>", "two"), arms={'"><b>': (22.0, 4.5), "b&c": (8.0, 4.5)})
    table = ldn.summarize(odd)
    parser = Nesting()
    parser.feed(html := page(odd, table, ["<i>one</i>: fine"]))
    assert parser.open == []
    assert "<i>one" not in html
    assert "&lt;i&gt;one&lt;/i&gt;</b>" in html


def test_people_and_failures():
    result = fail(made_result(people=3), "gave up", account=0, arm=0, subject=1)
    text = read(page_of(result))
    assert "3 virtual people (seed 1; doses of the first are listed)" in text
    assert "1 of 12 runs could not be solved: gave up" in text
    assert "Not solved and left out: 1 of 3 people in first, night: gave up." in text
    assert "Medians over people" in text
    assert not re.search(r"\bnan\b", text, re.I)


def test_nothing_solved_is_still_a_page(made):
    text = read(page_of(fail(made, "gave up")))
    assert "4 of 4 runs could not be solved: gave up" in text
    assert "— difference" not in text
    assert not re.search(r"\bnan\b", text, re.I)


def test_less_than_a_day(made):
    short = made.sel(time=slice(0.0, 8.0)).assign_attrs(window=[0.0, 8.0])
    assert "day-tone" in figures(page_of(short))
    single = made.sel(time=[30.0]).assign_attrs(window=[24.0, 48.0])
    table = ldn.summarize(short)
    html = page(single, table, [])
    assert "expected at least two to draw" in html
    assert "course-tone" in figures(html)


def test_attributes_may_be_missing(made):
    without_text = made.copy()
    without_text.attrs = {name: made.attrs[name] for name in ("window", "question")}
    for name in OUTPUTS:
        without_text[name].attrs = {"kind": made[name].attrs["kind"]}
    html = page(without_text, ldn.summarize(without_text), [])
    assert '<span class="tag unknown">unknown</span>' in html
    assert "What does a made-up result look like?" in html


def doses(*pairs: tuple[float, float], clock: float = 22.0) -> list[DoseEntry]:
    """(day, mg) pairs at one clock time."""
    return [DoseEntry(24.0 * (day - 1) + clock, amount, "oral") for day, amount in pairs]


@pytest.mark.parametrize(
    ("taken", "words"),
    [
        ([], ["no dose"]),
        (doses((3, 4.5)), ["day 3: 4.5 mg oral at 22:00"]),
        (doses((1, 4.5), (2, 4.5)), ["day 1 to 2: 4.5 mg oral at 22:00 (2 doses)"]),
        (doses(*[(day, 4.5) for day in range(1, 29)]), ["day 1 to 28: 4.5 mg oral at 22:00 (28 doses)"]),
        (doses(*[(day, 3) for day in range(2, 12, 3)]), ["day 2 to 11, every 3 days: 3 mg oral at 22:00 (4 doses)"]),
        (
            doses(*[(day, 3) for day in range(1, 15) if day not in (5, 6)]),
            ["day 1 to 14 but 5 and 6: 3 mg oral at 22:00 (12 doses)"],
        ),
        (
            doses(*[(day, 3) for day in (1, 3, 5, 8, 10, 12, 15, 17, 20, 23)]),
            ["days 1, 3, 5, 8, 10, 12, 15, 17 and 2 more until day 23: 3 mg oral at 22:00 (10 doses)"],
        ),
        (
            doses((1, 1.5), (2, 1.5), (3, 3), (4, 3)),
            ["day 1 to 2: 1.5 mg oral at 22:00 (2 doses)", "day 3 to 4: 3 mg oral at 22:00 (2 doses)"],
        ),
        (doses((1, 3), (1, 3)), ["day 1: 3 mg oral at 22:00 and 22:00 (2 doses)"]),
        (
            [DoseEntry(24.0 * day + 22 + 0.1 * day, 3 + 0.1 * day, "oral") for day in range(10)],
            ["day 1 to 10: 10 doses of 3 to 3.9 mg oral at varying times"],
        ),
        ([DoseEntry(47.9999, 3, "oral")], ["day 3: 3 mg oral at 00:00"]),  # to the minute, day and clock agree
    ],
)
def test_doses_in_words(taken, words):
    assert dose_words(taken) == words


def test_pages_and_descriptions_have_the_same_words_for_the_same_doses(ask):
    """A page tells the doses of a result, a description those of a plan: by weekday, by clock time, with infusions."""
    lines = (
        '{input: oral, at: ["08:00", "20:00"], dose: 1.23456789 mg, days: [mon, thu], until: day 20}',
        '{input: intravenous, at: "09:00", dose: 2 mg, every: 3 d, infuse: 100 min, from: day 21}',
    )
    scenario = ask("30 d", "[transient]", a=", ".join(lines))
    planned = [line.removeprefix("- ") for line in calendar_lines(resolve(scenario), "a", scenario.start_day)]
    result = ldn.simulate(scenario)
    told = read(page_of(result))
    assert planned == [
        "day 1 to 18, every mon and thu: 1.23457 mg oral at 08:00 and 20:00",
        "day 21 to 30, every 3 days: 2 mg intravenous at 09:00 over 1.667 h",
    ]
    assert f"{planned[0]} (12 doses)" in told
    assert f"{planned[1]} (4 doses)" in told


def test_figures_hold_the_numbers_of_the_result(made):
    trace = next(trace for trace in figures(page_of(made))["course-tone"]["data"] if trace.get("name") == "night")
    drawn = np.frombuffer(base64.b64decode(trace["y"]["bdata"]), dtype="<f4")
    assert drawn == pytest.approx(made.tone.sel(account="first", arm="night").values, rel=1e-6)
