"""`ldnsim validate` and `ldnsim discriminate` as users see them: what is printed, and what is written."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ldnsim as ldn
from ldnsim.calibration.validation import evaluate
from ldnsim.cli import app
from ldnsim.foundation.errors import LdnsimError
from ldnsim.plots.evidence import folds, occupancies

WIDTH = 80


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if done.exception:
        raise done.exception
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("validation")
    return run("validate", "--csv", str(folder / "facts.csv"), "--html", str(folder / "facts.html")), folder


class TestTable:
    def test_fits_a_terminal(self, written):
        assert max(len(line) for line in written[0].splitlines() if not line.startswith("->")) <= WIDTH

    def test_says_what_was_asked_in_which_window(self, written):
        text = re.sub(r"\s+", " ", written[0])
        for words in (
            "pk007",
            "x1.10",
            "2 to 12 h",
            "◐ pet_pool",
            "clearance_meyer1984: 94.0",
            "set by this fact",
        ):
            assert words in text, words
        assert "Facts that contradict each other. Clearance of naltrexone: 2.2-fold apart" in text

    def test_says_what_is_not_predicted_and_why(self, written):
        not_predictable = re.sub(r"\s+", " ", written[0].split("Not predicted")[1])
        assert "pd042 (test): tumours of mice" in not_predictable

    def test_ends_with_what_it_is_for(self, written):
        assert "For research and teaching. Not dose advice" in written[0]

    def test_one_account(self):
        text = run("validate", "--account", "pet_slow")
        assert "pet_pool" not in text
        with pytest.raises(LdnsimError, match="no account"):
            run("validate", "--account", "pet_quick")


def test_csv_holds_every_row_and_the_published_sets(written):
    with (written[1] / "facts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lee = [row for row in rows if row["fact"] == "pd002"]
    assert {row["account"] for row in lee} == {"transient", "pet_pool", "pet_slow"}
    assert float(lee[0]["under_late_tail"]) > 0
    assert all(row["reason"] or row["predicted"] for row in rows)


@pytest.fixture(scope="module")
def html(written) -> str:
    return (written[1] / "facts.html").read_text(encoding="utf-8")


class TestPage:
    def test_needs_no_network(self, html):
        assert "default-src 'none'" in html
        before = html.split("<script>")[0]
        assert not re.search(r"""(?:src|href)=["']https?:""", before)

    def test_has_its_parts(self, html):
        for words in ('id="folds"', 'id="occupancies"', "Facts that contradict each other",
                      "Observations that discriminate", "What popular texts say", "Not predicted",
                      "pd047"):  # fmt: skip
            assert words in html, words

    def test_is_the_same_again(self, html, tmp_path):
        run("validate", "--html", str(tmp_path / "again.html"))
        assert (tmp_path / "again.html").read_text(encoding="utf-8") == html


def test_figures_mark_fit_and_test():
    validation = evaluate(ldn.load_model("ldn"))
    figure = folds(validation)
    names = [trace.name for trace in figure.data]
    assert "concentrations and areas, fit" in names
    assert "concentrations and areas, test" in names
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    identity = next(trace for trace in figure.data if trace.name == "predicted = observed")
    twofold = next(trace for trace in figure.data if trace.name == "2-fold error")
    assert list(identity.x) == list(identity.y)
    assert [2 * x for x in twofold.x] == list(twofold.y)
    points = sum(len(trace.x) for trace in figure.data if trace.mode == "markers")
    assert points == sum(
        row.scale == "fold" and row.fact.use != "context" and not row.reason for row in validation.rows
    )
    scans = occupancies(validation)
    pool = next(trace for trace in scans.data if trace.name == "pet_pool, fit")
    assert len(pool.x) == 11
    assert max(pool.error_y.array) > 0


def test_nothing_is_written_where_one_file_cannot_be(tmp_path):
    with pytest.raises(LdnsimError, match="cannot write"):
        run("validate", "--csv", str(tmp_path / "facts.csv"), "--html", str(tmp_path / "no" / "facts.html"))
    assert list(tmp_path.iterdir()) == []


def test_discriminate(tmp_path):
    text = run("discriminate", "--csv", str(tmp_path / "observations.csv"))
    assert max(len(line) for line in text.splitlines() if not line.startswith("->")) <= WIDTH
    assert re.search(r"mu_occupancy +4\.5 mg, once +1 +6\d ± \d+ +4\d ± \d+ +1\d ± \d+ +1\.\d", text)
    assert "Predictions, not data" in re.sub(r"\s+", " ", text)
    assert (
        (tmp_path / "observations.csv").read_text(encoding="utf-8").startswith("output,by,dose,regimen,hour,separation")
    )
