"""The page in a real browser, from a file, with no way out to a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

import ldnsim as ldn
from ldnsim.answer import answers
from ldnsim.report import page

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=15000",
    "--window-size=900,1200",
]

if BROWSER is None and os.environ.get("CI"):
    raise RuntimeError("CI has no browser: .ci/run installs one")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on this machine")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    result = ldn.simulate(ldn.load_scenario("first_dose"))
    table = ldn.summarize(result)
    file = folder / "page.html"
    file.write_text(page(result, table, answers(result, table)), encoding="utf-8")
    alone = [f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command = [str(BROWSER), *QUIET, *alone, "--dump-dom", file.as_uri()]
    return result, subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def test_every_figure_is_drawn(opened):
    result, done = opened
    figures = done.stdout.count('class="js-plotly-plot') + done.stdout.count(" js-plotly-plot")
    assert figures >= len(
        [name for name in result.data_vars if "kind" in result[name].attrs and not name.endswith("_drug_free")]
    )
    assert done.stdout.count('class="scatterlayer') >= 5
    assert re.search(r'class="trace scatter[^"]*"[^>]*><g class="fills|class="js-line"', done.stdout)


def test_nothing_is_asked_of_a_network_and_nothing_fails(opened):
    _, done = opened
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    assert not console, console
    assert "net::ERR" not in done.stderr
    drawn = re.sub(
        r"<script\b.*?</script>", "", done.stdout, flags=re.S
    )  # plotly's own text names servers it never asks
    assert re.findall(r'<(?:img|script|link|iframe|image)\b[^>]*(?:src|href)="https?:[^"]+"', drawn) == []
