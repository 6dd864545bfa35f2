"""Sliders and live figures in JupyterLab.

    ldn.explore(scenario)

`knobs` says what can be moved, `view` what is seen then (both without a screen), `panel` and `sheet` put it there.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import LdnsimError

if TYPE_CHECKING:
    from ldnsim.scenario.scenario import Scenario
    from ldnsim.sliders.panel import Panel

__all__ = ["explore"]

NEEDED = ("ipywidgets", "anywidget")


def explore(scenario: Scenario, *, sliders: Iterable[str] = ()) -> Panel:
    """Sliders for a scenario, and figures, a table of metrics and the code of the view that follow them.

    Doses, clock times, days, accounts and switches are there at once; every parameter that moves something reported can
    be added, and `sliders` are addresses added from the beginning. Returns a widget, which a notebook shows. Raises
    LdnsimError for a slider that names nothing, and where the packages of `ldnsim[notebook]` are missing.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise LdnsimError(f"Sliders need {' and '.join(missing)}: pip install 'ldnsim[notebook]', then JupyterLab.")
    from ldnsim.sliders.panel import Panel

    return Panel(scenario, sliders)
