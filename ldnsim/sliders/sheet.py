"""What is looked at, as one widget: figures, table and code cross to the browser in one message per change.

plotly's own FigureWidget sends every figure back with all defaults filled in, and cannot leave the upload button out.
"""

from __future__ import annotations

from importlib.resources import files

import anywidget
import traitlets
from plotly.offline import get_plotlyjs

__all__ = ["Sheet"]


def _own(name: str) -> str:
    return files("ldnsim.sliders").joinpath(name).read_text(encoding="utf-8")


class Sheet(anywidget.AnyWidget):
    """Figures as plotly's JSON, the table as HTML, the code and a message as text."""

    # plotly.js comes along from the package: nothing is asked of a network
    _esm = get_plotlyjs() + "\n" + _own("sheet.js")
    _css = _own("sheet.css")
    figures = traitlets.List(traitlets.Unicode()).tag(sync=True)
    table = traitlets.Unicode().tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
