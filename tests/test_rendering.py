"""Pages from templates: every text is escaped, no value may be missing, and nothing but our own data is trusted."""

import re
from pathlib import Path

import pandas as pd
import pytest
from jinja2 import UndefinedError

from ldnsim.report import rendering
from ldnsim.report.page_figures import PageFigure
from ldnsim.report.rendering import rendered, rendered_page

HOSTILE = "<script>alert(1)</script>\"'&"
ESCAPED = "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;"
TEMPLATES = sorted((Path(rendering.__file__).parent / "templates").glob("*.html.j2"))
FRAME = pd.DataFrame({HOSTILE: [HOSTILE]}, index=[HOSTILE])
FIGURE = PageFigure("one", HOSTILE, (HOSTILE,), 300, '{"data": []}')
HEAD = {"kicker": HOSTILE, "title": HOSTILE, "disclaimer": HOSTILE, "figures": [FIGURE]}
FIT = {
    "has_contents": False, "cannot_say": HOSTILE, "estimates": FRAME, "statements": [HOSTILE], "data": FRAME,
    "command": HOSTILE, "provenance": {HOSTILE: HOSTILE}, "fit_text": HOSTILE,
}  # fmt: skip
FACT = {
    "id": HOSTILE, "use": HOSTILE, "quantity": HOSTILE, "details": [HOSTILE], "accounts": [HOSTILE], "is_text": True,
    "observed": HOSTILE, "spread": HOSTILE, "predicted": [HOSTILE], "errors": [HOSTILE],
}  # fmt: skip
VALIDATION = {
    "overall": [dict.fromkeys(("account", "what", "fit", "test", "read", "hours"), HOSTILE)],
    "facts": [FACT], "parameter_sets": [HOSTILE], "accounts": [HOSTILE], "not_predictable": [(HOSTILE, HOSTILE)],
    "conflicts": [{"title": HOSTILE, "label": HOSTILE, "note": HOSTILE, "rows": [[HOSTILE] * 5]}],
    "observations": [{"output": HOSTILE, "by": HOSTILE, "dose": HOSTILE, "numbers": [HOSTILE]}],
    "claims": [{"claim": HOSTILE, "data": HOSTILE, "facts": [HOSTILE]}],
}  # fmt: skip


@pytest.mark.parametrize(("template", "values", "count"), [("fit", FIT, 19), ("validation", VALIDATION, 41)])
def test_hostile_texts_are_escaped(template, values, count):
    html = rendered_page(template, **HEAD, **values)
    assert "<script>alert" not in html
    assert html.count(ESCAPED) == count  # every text is shown


def test_a_missing_value_is_an_error():
    with pytest.raises(UndefinedError, match="tables"):
        rendered("metrics_tables")


def test_only_our_own_style_scripts_and_data_are_not_escaped():
    trusted = [name for path in TEMPLATES for name in re.findall(r"(\S+)\s*\|\s*safe", path.read_text("utf-8"))]
    assert sorted(trusted) == ["plotly", "script", "shown.json", "style"]
