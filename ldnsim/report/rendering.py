"""Templates rendered as HTML: everything is escaped, except style sheet, scripts and the figures' data."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ldnsim.plots.style import MARKS

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["rendered", "rendered_page"]

MEANINGS = {
    "measured": "directly from human data",
    "fitted": "a structure fitted to human data",
    "hypothesis": "not determined by human data",
}


def rendered(template: str, **values: Any) -> str:
    """Render a template of the folder `templates`.

    Parameters
    ----------
    template : str
        Its name, without suffix.
    **values
        The values that it uses. Texts are escaped.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    jinja2.UndefinedError
        If a value is missing.
    """
    return _environment().get_template(f"{template}.html.j2").render(values)


def rendered_page(template: str, **values: Any) -> str:
    """A whole page, including its style sheet and scripts."""
    from plotly.offline import get_plotlyjs

    return rendered(template, style=_own("page.css"), script=_own("page.js"), plotly=get_plotlyjs(), **values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # imported late: only pages need it

    found = Environment(
        loader=PackageLoader("ldnsim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.globals.update(marks=MARKS, meanings=MEANINGS)
    return found


def _own(name: str) -> str:
    return files("ldnsim.report").joinpath(name).read_text(encoding="utf-8")
