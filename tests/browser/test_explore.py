"""Sliders in a real JupyterLab, in a real browser, with no way out to a network."""

from __future__ import annotations

import os
from collections.abc import Iterator

import chromium
import lab
import pytest

RIGHT = ("ArrowRight", 39)
SHEET = "document.querySelector('.ldnsim-sheet')"
PLOTS = f"[...{SHEET}.querySelectorAll('.js-plotly-plot')]"
CURVES = f"{PLOTS}.map(plot => plot.querySelector('.scatterlayer path.js-line').getAttribute('d'))"
CODE = f"{SHEET}.querySelector('pre').textContent"
LONGEST = 5000  # ms from key to figure, on the slowest of machines; benchmarks/explore.py measures


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[lab.Lab]:
    if chromium.PATH is None or not lab.INSTALLED:
        if os.environ.get("CI"):
            pytest.fail("CI lacks a browser or JupyterLab: .ci/run installs both")
        pytest.skip("no Chromium or no JupyterLab on this machine")
    folder = tmp_path_factory.mktemp("lab")
    figure = "ldn.plots.last_day(ldn.simulate(scenario), 'mu_occupancy')"
    start = "import ldnsim as ldn\nscenario = ldn.load_scenario('night_vs_morning').with_changes({'duration': '3 d'})"
    lab.write_notebook(folder / "sliders.ipynb", start, "ldn.explore(scenario)", figure)
    with lab.Lab(folder) as running:
        yield running


@pytest.fixture(scope="module")
def tab(served, tmp_path_factory) -> Iterator[chromium.Tab]:
    with chromium.Chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield lab.opened(browser, served, "sliders.ipynb")


def focus(tab: chromium.Tab, handle: int) -> None:
    tab.run(f"document.querySelectorAll('.noUi-handle')[{handle}].focus()")


def test_a_key_moves_the_figures_the_table_and_the_code(tab):
    tab.until(f"{PLOTS}.length == 2 && {SHEET}.querySelectorAll('table').length == 2")
    before, table = tab.run(CURVES), tab.run(f"{SHEET}.querySelector('.table').textContent")
    focus(tab, 0)
    tab.press(*RIGHT)
    tab.until(f'JSON.stringify({CURVES}) != {str(before)!r} && {CODE}.includes(\'"night.dose": "5 mg"\')')
    assert all(new != old for new, old in zip(tab.run(CURVES), before, strict=True))
    tab.until(f"{SHEET}.querySelector('.table').textContent != {table!r}")


def test_a_key_held_down_ends_at_the_last_position_without_a_queue(tab):
    tab.run(f"window.drawn = 0; {PLOTS}[0].on('plotly_afterplot', () => window.drawn++)")
    focus(tab, 2)  # the morning's dose
    for _ in range(20):
        tab.press(*RIGHT)
    tab.until(f'{CODE}.includes(\'"morning.dose": "14.5 mg"\')')
    tab.wait(1)
    assert 1 <= tab.run("drawn") <= 20
    assert '"morning.dose": "14.5 mg"' in tab.run(CODE)


def test_from_key_to_figure_no_stall(tab):
    laps = lab.laps(tab, *RIGHT, presses=3)
    assert len(laps) == 3
    assert max(laps) < LONGEST


def test_reset_puts_everything_back(tab):
    tab.point(
        "[...document.querySelectorAll('button')].find(button => button.textContent.includes('Reset'))", click=True
    )
    tab.until(f"!{CODE}.includes('.dose')")


def test_nothing_leaves_the_machine_and_nothing_fails(tab, served):
    tab.wait(0.5)
    assert tab.run("document.querySelectorAll('.jp-OutputArea .js-plotly-plot').length") == 3
    own = (served.address, served.address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in [*tab.requests, *tab.sockets] if not url.startswith(own)] == []
    assert tab.errors == []
    titles = tab.run("[...document.querySelectorAll('.modebar-btn')].map(button => button.dataset.title)")
    assert titles
    assert not [title for title in titles if "hare" in title or "loud" in title]  # no upload is offered


RIGHT_EDGES = f"[...{SHEET}.querySelectorAll('.main-svg')].map(svg => svg.getBoundingClientRect().right)"


@pytest.mark.parametrize("width", [1280, 1024])
def test_figures_fit_beside_an_open_sidebar(tab, width):
    """At 1280 px they were cut off at 19:00, and the title lay over the legend."""
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=1000, deviceScaleFactor=1, mobile=False)
    tab.run("jupyterapp.commands.execute('filebrowser:activate')")
    output = "document.querySelector('.jp-OutputArea-output')"
    tab.until(f"Math.max(...{RIGHT_EDGES}) <= {output}.getBoundingClientRect().right + 1")
    below = f"""[...{SHEET}.querySelectorAll('figure')].every(figure =>
      figure.querySelector('figcaption').getBoundingClientRect().bottom
      <= figure.querySelector('.legend').getBoundingClientRect().top)"""
    tab.until(below)
    assert tab.run(f"[...{SHEET}.querySelectorAll('figcaption')].map(title => title.textContent)")[0] != ""
