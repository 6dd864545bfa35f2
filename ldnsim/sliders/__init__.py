"""Sliders and live figures in JupyterLab.

    ldn.explore(scenario)

`controls` defines the sliders, `view` computes figures and tables (both without a screen), `panel` and `sheet` display
them.
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
    """Sliders for a scenario in JupyterLab, with figures, a table of metrics and the code of the current view.

    Parameters
    ----------
    scenario : Scenario
        The scenario, as returned by `load_scenario`.
    sliders : iterable of str
        Addresses of parameters with a slider from the start. Doses, clock times, days, accounts and switches always
        have one, and every other parameter that moves a reported output can be added.

    Returns
    -------
    Panel
        A widget, displayed by the notebook.

    Raises
    ------
    LdnsimError
        For an address that does not exist, and if the packages of `ldnsim[notebook]` are not installed.

    Examples
    --------
    >>> import ldnsim as ldn
    >>> panel = ldn.explore(ldn.load_scenario("first_dose"), sliders=["occupancy.EC50"])
    >>> type(panel).__name__
    'Panel'
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise LdnsimError(f"Sliders need {' and '.join(missing)}: pip install 'ldnsim[notebook]', then JupyterLab.")
    from ldnsim.sliders.panel import Panel

    return Panel(scenario, sliders)
