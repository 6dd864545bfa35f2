"""Templates filled with texts: everything is escaped, except style sheet, scripts and the figures' data."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ldnsim.plots.style import MARKS

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["rendered", "rendered_page"]

MEANINGS = {
    "measured": "the data are human and direct",
    "fitted": "a structure fitted to human data",
    "hypothesis": "no human data fix it",
}


def rendered(template: str, **values: Any) -> str:
    """The template of this name in the folder `templates`, with the values that it asks for.

    Texts among the values are escaped. A value that is missing is an error.
    """
    return _environment().get_template(f"{template}.html.j2").render(values)


def rendered_page(template: str, **values: Any) -> str:
    """A whole page, with its style sheet and its scripts inside."""
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
