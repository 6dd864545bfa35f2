"""What a stranger adds, each from one file: a plug is put in, used by the whole road, and taken out again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from typer.testing import CliRunner

import ldnsim as ldn
from ldnsim import plots
from ldnsim.cli import app
from ldnsim.engine import reference
from ldnsim.engine.choose import SOLVERS
from ldnsim.foundation.errors import LdnsimError
from ldnsim.foundation.registry import Registry
from ldnsim.library.error_model import ERROR_MODELS, ErrorModel
from ldnsim.metrics.registry import Metric, register, unregister
from ldnsim.model.output_kinds import OutputKind, register_kind, unregister_kind
from ldnsim.report.output_files import FORMATS, Format

MODELS = Path(__file__).parent / "models"
PACKAGE = Path(ldn.__file__).parent
QUESTION = """\
format: ldnsim-scenario/1
name: question
question: A test?
model: {model}
duration: 24 h
arms: {{once: {{regimen: [{{input: oral, dose: 5 mg, at: "00:00", until: day 1}}]}}}}
"""


@pytest.fixture
def question(tmp_path) -> Path:
    """A scenario file on the small model."""
    return written(tmp_path / "question.yaml", QUESTION.format(model=MODELS / "small.yaml"))


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def command(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception:
        raise done.exception
    return done.stdout


class TestMetric:
    @pytest.fixture
    def plug(self) -> Iterator[None]:
        def swing(view):
            return view.curve.highest() - view.curve.lowest(), None

        register(Metric("swing", "highest less lowest value", "{}", swing, kinds=frozenset({"concentration"})))
        yield
        unregister("swing")

    def test_it_is_in_tables_and_sweeps_and_fits(self, plug, question, tmp_path):
        scenario = ldn.load_scenario(question)
        result = ldn.simulate(scenario)
        table = ldn.summarize(result)
        highest = float(table.Cp_Cmax.squeeze())
        assert float(table.Cp_swing.squeeze()) == pytest.approx(highest - float(table.Cp_trough.squeeze()), rel=1e-12)
        assert table.Cp_swing.attrs["units"] == "nmol/L"
        assert "occupancy_swing" not in table
        grid = ldn.sweep(scenario, {"once.dose": ["5 mg", "10 mg"]}, progress=False)
        assert float(grid.Cp_swing[1].squeeze() / grid.Cp_swing[0].squeeze()) == pytest.approx(2, rel=1e-6)
        fit = written(tmp_path / "fit.yaml", fit_text("metric: swing, value: 40 nmol/L, cv: 10 %"))
        predicted = float(ldn.fit(fit).predictions.predicted.iloc[0])
        assert predicted == pytest.approx(40, rel=0.01)

    def test_it_is_gone_again(self, question, tmp_path):
        assert "Cp_swing" not in ldn.summarize(ldn.simulate(ldn.load_scenario(question)))
        with pytest.raises(LdnsimError, match="swing"):
            ldn.load_fit(written(tmp_path / "fit.yaml", fit_text("metric: swing, value: 40 nmol/L, cv: 10 %")))


class TestOutputKind:
    @pytest.fixture
    def plug(self) -> Iterator[None]:
        register_kind(OutputKind("amount", "amount that has left the body", headline=("peak",)))
        yield
        unregister_kind("amount")

    @pytest.fixture
    def model(self, tmp_path) -> Path:
        text = (MODELS / "small.yaml").read_text()
        new = text.replace('title: "Eliminated", unit: nmol', 'title: "Eliminated", unit: nmol, kind: amount')
        assert new != text
        for part in ("one_compartment", "equilibrium"):
            written(tmp_path / f"{part}.yaml", (MODELS / f"{part}.yaml").read_text())
        return written(tmp_path / "small.yaml", new)

    def test_a_model_has_outputs_of_it(self, plug, model, tmp_path):
        scenario = ldn.load_scenario(written(tmp_path / "q.yaml", QUESTION.format(model=model)))
        result = ldn.simulate(scenario)
        assert result.taken_out.attrs["kind"] == "amount"
        table = ldn.summarize(result)
        assert float(table.taken_out_peak.squeeze()) > 0
        assert "peak" in command("run", tmp_path / "q.yaml", "--out", tmp_path / "results")

    def test_it_is_gone_again(self, model):
        with pytest.raises(LdnsimError, match="amount"):
            ldn.load_model(model)


class TestPlot:
    def test_a_figure_is_a_file_of_the_folder(self, question, tmp_path, monkeypatch):
        written(
            tmp_path / "swarm.py",
            "import plotly.graph_objects as go\nfrom ldnsim.plots.curves import output_named\n"
            "from ldnsim.plots.style import TEMPLATE\n"
            "def swarm(result, output):\n"
            "    values = output_named(result, output).values.ravel()\n"
            "    return go.Figure(go.Box(y=values), layout={'template': TEMPLATE})\n",
        )
        monkeypatch.setattr(plots, "__path__", [*plots.__path__, str(tmp_path)])
        from ldnsim.plots.swarm import swarm

        figure = swarm(ldn.simulate(ldn.load_scenario(question)), "Cp")
        monkeypatch.delitem(sys.modules, "ldnsim.plots.swarm")
        assert isinstance(figure, go.Figure)
        assert max(figure.data[0].y) > 0

    def test_every_figure_has_a_file_of_its_own(self):
        figures = [getattr(plots, name) for name in plots.__all__ if callable(getattr(plots, name))]
        homes = [figure.__module__ for figure in figures]
        assert len(figures) > 10
        assert len(set(homes)) == len(homes)


class TestFormat:
    @pytest.fixture
    def plug(self) -> Iterator[None]:
        FORMATS.add(
            "txt",
            Format(
                "a test",
                run=lambda path, result, table: path.write_text(f"run of {result.sizes['time']} times") and None,
                sweep=lambda path, table: path.write_text(f"sweep of {table.sizes['once.dose']} doses") and None,
                scenario=lambda path, scenario, account: f"{path.write_text(scenario.name)} letters",
            ),
        )
        yield
        FORMATS.remove("txt")

    def test_every_command_that_writes_has_it(self, plug, question, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        command("run", question, "--out", "results", "--format", "txt")
        assert Path("results/question.txt").read_text().startswith("run of ")
        command("sweep", question, "-o", "doses.zarr", "--axis", "once.dose=5 mg,10 mg", "--format", "txt")
        assert Path("doses.txt").read_text() == "sweep of 2 doses"
        assert "8 letters written to question.txt" in command("export", question, "--to", "txt", "-o", "question.txt")
        assert Path("question.txt").read_text() == "question"

    def test_it_is_gone_again(self, question, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for arguments in (
            ("run", question, "--format", "txt"),
            ("sweep", question, "-o", "doses.zarr", "--axis", "once.dose=5 mg,10 mg", "--format", "txt"),
            ("export", question, "--to", "txt", "-o", "question.txt"),
        ):
            with pytest.raises(LdnsimError, match="unknown format 'txt'"):
                command(*arguments)
        assert {path.name for path in tmp_path.iterdir()} == {"question.yaml"}

    def test_a_library_that_is_missing_is_reported_before_any_work(self, question, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(LdnsimError, match="pyarrow is not installed"):
            command("run", question, "--out", tmp_path / "results", "--format", "csv,parquet")
        assert not (tmp_path / "results").exists()


class TestSolver:
    @pytest.fixture
    def plug(self) -> Iterator[list[int]]:
        calls: list[int] = []

        def counting(threads):
            def solve(system, parameters, *rest, **options):
                calls.append(len(parameters))
                return reference.solve(system, parameters, *rest, **options)

            return solve

        SOLVERS.add("counting", counting)
        yield calls
        SOLVERS.remove("counting")

    def test_simulations_sweeps_and_fits_use_it(self, plug, question, tmp_path):
        scenario = ldn.load_scenario(question)
        found, wanted = (ldn.simulate(scenario, solver=name) for name in ("counting", "reference"))
        assert plug
        np.testing.assert_array_equal(found.Cp, wanted.Cp)
        plug.clear()
        ldn.sweep(scenario, {"once.dose": ["5 mg"]}, solver="counting", progress=False)
        assert plug
        plug.clear()
        ldn.fit(written(tmp_path / "fit.yaml", fit_text("at: 2 h, value: 40 nmol/L, cv: 10 %")), solver="counting")
        assert plug

    def test_it_is_gone_again(self, question):
        with pytest.raises(LdnsimError, match="unknown solver 'counting'"):
            ldn.simulate(ldn.load_scenario(question), solver="counting")

    def test_a_misspelled_name_is_told_with_the_nearest(self, question):
        with pytest.raises(LdnsimError) as caught:
            ldn.simulate(ldn.load_scenario(question), solver="natve")
        assert caught.value.faults[0].nearest == "native"


class TestErrorModel:
    FACT = "at: 2 h, value: 40 nmol/L, cv: 10 %, sd: 3 nmol/L"

    @pytest.fixture
    def plug(self) -> Iterator[None]:
        def combined(value, cv, sd):
            return float(np.hypot(cv * value, sd))

        ERROR_MODELS.add("combined", ErrorModel(frozenset({"cv", "sd"}), logarithmic=False, error=combined))
        yield
        ERROR_MODELS.remove("combined")

    def test_a_fit_uses_it(self, plug, tmp_path):
        result = ldn.fit(written(tmp_path / "fit.yaml", fit_text(self.FACT)))
        row = result.predictions.iloc[0]
        assert row.error == pytest.approx(5.0)  # 4 and 3 nmol/L
        assert not row.logarithmic
        assert row.residual == pytest.approx((row.predicted - 40) / 5.0, abs=1e-9)

    def test_rows_of_a_table_use_it(self, plug, tmp_path):
        pd.DataFrame({"arm": "once", "output": "Cp", "time": [2, 4], "value": 40, "cv": "10 %", "sd": 3}).to_csv(
            tmp_path / "levels.csv", index=False
        )
        text = fit_text(self.FACT) + "tables: {levels: {file: levels.csv, unit: nmol/L}}\n"
        result = ldn.fit(written(tmp_path / "fit.yaml", text))
        assert result.predictions.error.tolist() == pytest.approx([5.0, 5.0, 5.0])

    def test_it_is_gone_again(self, tmp_path):
        with pytest.raises(LdnsimError, match="both cv and sd"):
            ldn.load_fit(written(tmp_path / "fit.yaml", fit_text(self.FACT)))


class TestModelPart:
    def test_it_is_a_file_and_no_code(self, tmp_path):
        """The parent's metabolite, in a slot of its own, from what the parent's part exports."""
        written(
            tmp_path / "metabolite.yaml",
            "format: ldnsim-part/1\nname: metabolite\nversion: 0.1.0\ntitle: A metabolite\nevidence: measured\n"
            "needs: {Cp: nmol/L}\nexports: {Cm: Concentration}\n"
            "parameters:\n"
            "  k: {value: 2 1/h, source: assumed, note: test, description: Formation and elimination}\n"
            "states: {level: {unit: nmol/L, scale: 10 nmol/L, description: Level}}\n"
            "equations: |\n  Cm = level\n  d/dt(level) = k*(Cp - level)\n",
        )
        text = (MODELS / "small.yaml").read_text()
        for part in ("one_compartment", "equilibrium"):
            written(tmp_path / f"{part}.yaml", (MODELS / f"{part}.yaml").read_text())
        text = text.replace("receptor: equilibrium}", "receptor: equilibrium, metabolite: metabolite}")
        text = text.replace("outputs:\n", "outputs:\n  Cm: {title: Metabolite, unit: nmol/L, kind: concentration}\n")
        model = written(tmp_path / "small.yaml", text)
        result = ldn.simulate(ldn.load_scenario(written(tmp_path / "q.yaml", QUESTION.format(model=model))), rtol=1e-8)
        parent, metabolite = result.Cp.squeeze(), result.Cm.squeeze()
        assert float(metabolite.max()) > 0
        late = result.time.values > 12  # both fall with the parent's constant, 0.2 1/h: (k - 0.2) Cm = k Cp
        np.testing.assert_allclose(metabolite.values[late], parent.values[late] * 2 / 1.8, rtol=1e-3)


def test_a_dosing_field_is_in_three_files():
    """Its record, what it does to doses, its words: `jitter` is an example."""
    files = [path for path in PACKAGE.rglob("*.py") if "jitter" in path.read_text(encoding="utf-8")]
    homes = {str(path.relative_to(PACKAGE)) for path in files}
    assert homes <= {"dosing/regimen.py", "dosing/adherence.py", "report/calendar.py"}
    assert "dosing/regimen.py" in homes


class TestRegistry:
    def test_a_file_in_the_folder_is_found_by_itself(self, tmp_path, monkeypatch):
        folder = tmp_path / "plugged_things"
        folder.mkdir()
        written(folder / "__init__.py", "from ldnsim.foundation.registry import Registry\n"
                "THINGS = Registry('thing', 'plugged_things')\n")  # fmt: skip
        for name in ("one", "two"):
            written(folder / f"{name}.py", f"from plugged_things import THINGS\nTHINGS.add({name!r}, {name!r} * 2)\n")
        monkeypatch.syspath_prepend(tmp_path)
        from plugged_things import THINGS

        assert THINGS.names() == ("one", "two")
        assert THINGS.named("two") == "twotwo"
        for name in ("plugged_things", "plugged_things.one", "plugged_things.two"):
            monkeypatch.delitem(sys.modules, name)

    def test_a_name_is_taken_once(self):
        things: Registry[int] = Registry("solver", "ldnsim.engine.solvers")
        things.add("a", 1)
        with pytest.raises(LdnsimError, match="there is a solver 'a' already"):
            things.add("a", 2)
        assert things.named("a") == 1

    def test_what_is_not_there_cannot_be_taken_out(self):
        with pytest.raises(LdnsimError, match="unknown solver 'nativ'") as caught:
            SOLVERS.remove("nativ")
        assert caught.value.faults[0].nearest == "native"


def fit_text(fact: str) -> str:
    return (
        f"format: ldnsim-fit/1\nname: levels\nquestion: a test\nmodel: {MODELS / 'small.yaml'}\nduration: 24 h\n"
        'arms: {once: {regimen: [{input: oral, dose: 5 mg, at: "00:00", until: day 1}]}}\n'
        "estimate:\n  plasma.V: {start: 200 L, bounds: [5 L, 2000 L]}\n"
        f"facts: {{one: {{arm: once, output: Cp, {fact}, source: assumed}}}}\nstarts: 2\n"
    )
