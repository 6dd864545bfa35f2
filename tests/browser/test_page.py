"""The page in a real browser, from a file, with no way out to a network."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from made_results import OUTPUTS, made_result

import ldnsim as ldn
from ldnsim.report.page import page

HOSTILE = '"><img src=x onerror="window.hacked=1"></script><script>window.hacked=1</script><a href="javascript:1">%{y}'
PLOTS = "[...document.querySelectorAll('.js-plotly-plot')]"


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[chromium.Chromium]:
    if chromium.PATH is None:
        if os.environ.get("CI"):
            pytest.fail("CI has no browser: .ci/run installs one")
        pytest.skip("no Chromium or Chrome on this machine")
    with chromium.Chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    result = made_result(people=12)
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(result, ldn.summarize(result), ["first: An answer.", "second: Another."]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def opened(browser, file) -> chromium.Tab:
    return browser.open(file)


def test_every_figure_is_drawn(opened):
    drawn = opened.run(
        f"{PLOTS}.map(plot => [plot.id, plot.querySelectorAll('.scatterlayer .trace path.js-line').length])"
    )
    assert sorted(name for name, _ in drawn) == sorted(
        f"{kind}-{name}" for kind in ("day", "course") for name in OUTPUTS
    )
    assert all(lines >= 4 for _, lines in drawn)  # two accounts by two arms
    size = opened.run(f"{PLOTS}.map(plot => plot.getBoundingClientRect()).map(box => [box.width, box.height])")
    assert all(width > 700 and height > 400 for width, height in size)


def test_nothing_is_asked_of_a_network_and_nothing_fails(opened, file):
    assert [url for url in opened.requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert opened.trouble == []
    titles = opened.run("[...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)")
    assert not [title for title in titles if "hare" in title or "loud" in title]  # no upload is offered


def test_the_scale_buttons_work(opened):
    kinds = (
        "(plot => [plot._fullLayout.yaxis.type, plot._fullLayout.yaxis2.type])(document.getElementById('course-Cp'))"
    )
    button = "document.querySelectorAll('#course-Cp .updatemenu-button')[{}]"
    assert opened.run(kinds) == ["linear", "linear"]
    opened.point(button.format(1), click=True)
    assert opened.run(kinds) == ["log", "log"]
    opened.point(button.format(0), click=True)
    assert opened.run(kinds) == ["linear", "linear"]
    assert opened.trouble == []


def test_hovering_tells_day_clock_value_and_time_after_the_dose(opened):
    opened.point("document.querySelector('#course-Cp .xy .nsewdrag')", across=30 / 96)  # 30 of its 96 hours
    text = opened.run("document.querySelector('#course-Cp .hoverlayer').textContent")
    assert "day 2, 06:00" in text
    assert "median" in text
    assert "8.0 h after dose" in text


def test_a_phone_shows_it_without_scrolling_sideways(browser, opened, file):
    phone = browser.open(file, width=400)
    assert phone.run("document.documentElement.scrollWidth") <= 400
    assert phone.run(f"{PLOTS}.length") == 2 * len(OUTPUTS)
    panels = f"{PLOTS}.map(plot => plot._fullLayout._size.h)"
    assert phone.run(panels) == pytest.approx(opened.run(panels), abs=8)  # legends of more lines take no room from them
    assert phone.trouble == []


def test_it_prints_and_comes_back(opened):
    before = opened.run(f"{PLOTS}.map(plot => [plot._fullLayout.width, plot._fullLayout.height])")
    printed = opened.pdf()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 3
    opened.run("new Promise(done => setTimeout(done, 500))")
    assert opened.run(f"{PLOTS}.map(plot => [plot._fullLayout.width, plot._fullLayout.height])") == before
    assert opened.trouble == []


def test_hostile_text_does_nothing(browser, tmp_path):
    bad = made_result()
    bad.attrs |= dict.fromkeys(("question", "scenario", "cannot_say", "scenario_text", "disclaimer"), HOSTILE)
    bad.attrs |= {f"{dim}_titles": json.dumps({str(bad[dim].values[0]): HOSTILE}) for dim in ("account", "arm")}
    for name in OUTPUTS:
        bad[name].attrs |= {"long_name": HOSTILE, "observed": HOSTILE}
    path = tmp_path / "bad.html"
    path.write_text(page(bad, ldn.summarize(bad), [HOSTILE]), encoding="utf-8")
    tab = browser.open(path)
    assert tab.run("window.hacked") is None
    assert tab.run(f"{PLOTS}.length") == 2 * len(OUTPUTS)
    assert tab.run("document.querySelectorAll('img, [onerror], a[href^=javascript]').length") == 0
    assert tab.run("document.querySelector('h1').textContent") == HOSTILE
    assert tab.trouble == []
