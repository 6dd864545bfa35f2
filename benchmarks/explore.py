"""From a key press on a slider to the figure redrawn, in a real JupyterLab in headless Chromium.

    python benchmarks/explore.py

Prints the median of a dozen presses, for one person and for 200, and the machine's load at that time: other work on the
machine counts. The first figure is timed by the page's own clock, from the key to plotly's word that it is drawn.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "browser"))

import chromium
import lab

PRESSES = 13
START = "import ldnsim as ldn\nscenario = ldn.load_scenario('night_vs_morning')"
CROWD = ".with_changes({'population.size': 200})"
DRAWN = "document.querySelectorAll('.ldnsim-sheet table').length == 2"


def measured(running: lab.Lab, name: str, folder: Path) -> list[float]:
    """Milliseconds of each press but the first."""
    with chromium.Chromium(folder / f"profile-{name}") as browser:
        tab = lab.opened(browser, running, f"{name}.ipynb")
        tab.until(DRAWN)
        return lab.laps(tab, "ArrowRight", 39, PRESSES, pause=1.5)[1:]


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, more in (("one", ""), ("crowd", CROWD)):
            lab.write_notebook(folder / f"{name}.ipynb", START + more, "ldn.explore(scenario)")
        print(f"{platform.platform()}, {os.cpu_count()} cores; 2 accounts x 2 arms x 28 days, two figures")
        with lab.Lab(folder) as running:
            for name, people in (("one", 1), ("crowd", 200)):
                laps = measured(running, name, folder)
                shown = f"median {statistics.median(laps):.0f} ms, {min(laps):.0f} to {max(laps):.0f}"
                print(f"{people:4d} people: {shown} ms; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
