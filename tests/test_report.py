"""The page: one file, no network, the answer first, nothing of a hostile text gets out of its place."""

from __future__ import annotations

import re

import pytest
import xarray as xr

import ldnsim as ldn
from ldnsim.answer import answers
from ldnsim.report import page

HOSTILE = '</script><script>alert(1)</script> & "quotes" <b>'


def page_of(result: xr.Dataset) -> str:
    table = ldn.summarize(result)
    return page(result, table, answers(result, table))


def own_text(html: str) -> str:
    """The page without the scripts that plotly brings."""
    return re.sub(r"<script\b.*?</script>", "", html, flags=re.S)


@pytest.fixture(scope="module")
def result():
    return ldn.simulate(ldn.load_scenario("night_vs_morning"))


@pytest.fixture(scope="module")
def html(result):
    return page_of(result)


def test_question_and_answer_come_first(html, result):
    text = own_text(html)
    order = [
        result.attrs["question"],
        "transient</b>",
        "pet_pool</b>",
        "What is compared",
        "Over time",
        "In numbers",
        "What it rests on",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "4.5 mg oral at 22:00 every day, day 1 to 28 (28 doses)" in text


def test_tags_limits_and_provenance(html, result):
    text = own_text(html)
    for part in (
        "no human data fix it",
        "extrapolated",
        "It cannot say"[3:9],
        "ldnsim run night_vs_morning",
        result.attrs["model_hash"][:12],
        result.attrs["disclaimer"],
    ):
        assert part in text
    assert "format: ldnsim-scenario/1" in text


def test_one_file_without_network_and_not_too_large(html):
    assert len(html.encode()) < 6e6
    assert not re.search(
        r"<(?:script|link|img|iframe)[^>]+(?:src|href)\s*=",
        own_text(html) + "".join(re.findall(r"<script[^>]*>", html)),
    )
    assert html.count("plotly.js v") <= 2  # inlined once


def test_every_figure_of_the_library_stays_small_enough():
    assert len(page_of(ldn.simulate(ldn.load_scenario("dose_sizes"))).encode()) < 6e6


def test_same_result_same_bytes(html, result):
    assert page_of(result) == html


def test_a_file_gives_the_same_page(html, result, tmp_path):
    result.to_netcdf(tmp_path / "r.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "r.nc", engine="h5netcdf") as read:
        assert own_text(page_of(read.load())) == own_text(html)


def test_hostile_text_stays_text(result):
    bad = result.copy()
    bad.attrs |= {"question": HOSTILE, "cannot_say": HOSTILE, "scenario_text": HOSTILE, "changes": "{}"}
    bad["Cp"].attrs["long_name"] = HOSTILE
    html = page_of(bad)
    assert "<script>alert(1)" not in html
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in html


def test_people_and_failures(ask):
    question = ask(
        "2 d", "[transient]", extra="population: {size: 3, seed: 1}", night='{input: oral, dose: 4.5 mg, at: "22:00"}'
    )
    result = ldn.simulate(question)
    result.status[0, 0, 1], result.reason[0, 0, 1] = 2, "gave up"
    for name in ("Cp", "mu_occupancy", "opioid_tone", "endorphin"):
        result[name][0, 0, 1] = float("nan")
    text = own_text(page_of(result))
    assert "3 virtual people (seed 1" in text
    assert "1 of 3 runs could not be solved: gave up" in text
    assert "nan" not in text.replace("endogenan", "")


def test_less_than_a_day(ask):
    result = ldn.simulate(ask("8 h", "[transient]", once='{input: oral, dose: 4.5 mg, at: "02:00"}'))
    assert "last-day-" not in page_of(result)
