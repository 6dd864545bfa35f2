"""`ldnsim fit` as people use it: what it prints, what it writes, and what it leaves when it cannot be done."""

from __future__ import annotations

import json

import pytest
from test_cli import ldnsim

import ldnsim as ldn
from ldnsim import cli
from ldnsim.library.files import LIBRARY

FACT = "{arm: once, output: Cp, at: 3 h, value: 20 nmol/L, cv: 10 %}"
NOTHING = "{arm: once, output: Cp, at: 0 h, value: 0 nmol/L, sd: 1 nmol/L}"  # before the dose
TEXT = """\
format: ldnsim-fit/1
name: quick
question: "How large is F?"
model: ldn
account: pet_pool
duration: 24 h
arms: {{once: {{regimen: [{{input: oral, dose: 50 mg, at: "00:00", until: day 1}}]}}}}
estimate: {{{estimate}}}
facts: {{level: {fact}}}
starts: 2
"""


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """command(*arguments) -> exit code, what was printed, what was told; in this process, in a folder of its own."""

    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["ldnsim", *arguments])
        with pytest.raises(SystemExit) as done:
            cli.main()
        return done.value.code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit")
    return folder, ldnsim("fit", "naltrexone_oral", "--out", "out", cwd=folder)


def test_the_answer_is_printed_and_written(ran):
    folder, done = ran
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Which absorption and volumes do the published facts")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "8 of 8 starts reached this optimum" in " ".join(done.stdout.split())
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "naltrexone_oral.fit.json",
        "naltrexone_oral.html",
        "naltrexone_oral.model.yaml",
    ]


def test_the_fitted_account_runs_a_scenario(ran):
    folder, _ = ran
    found = json.loads((folder / "out" / "naltrexone_oral.fit.json").read_text())
    model = ldn.load_model(folder / "out" / "naltrexone_oral.model.yaml")
    account = model.accounts["naltrexone_oral"]
    assert account.values["plasma.F"] == found["parameters"]["plasma.F"]["value"]
    assert account.source == ("swiss_label", "fda_tablet_label", "meyer1984", "wall1981", "johnson2010")
    scenario = ldn.load_scenario("first_dose").model_copy(update={"model": model, "accounts": ("naltrexone_oral",)})
    result = ldn.simulate(scenario)
    assert int(result.status.max()) == 0
    assert result.mu_occupancy.attrs["evidence"] == "fitted"


def test_the_page_holds_figures_and_no_way_out(ran):
    folder, _ = ran
    page = (folder / "out" / "naltrexone_oral.html").read_text()
    assert 'data-for="predicted-observed"' in page
    assert 'data-for="residuals"' in page
    assert "default-src 'none'" in page
    assert "plasma.ka: the data set no upper limit within its bounds." in page


@pytest.mark.parametrize(
    ("estimate", "fact", "message"),
    [
        ("plasma.FF: {bounds: [0.01, 1]}", FACT, "quick.yaml:8:12: estimate.plasma.FF: 'plasma.FF' names nothing"),
        ("plasma.F: {bounds: [0.01, 1]}", FACT.replace("3 h", "0 h"), "could not be solved at any of its starts"),
        ("plasma.F: {bounds: [0.01, 1]}", NOTHING, "estimate.plasma.F: plasma.F moves none of the data"),
    ],
)
def test_a_fit_that_cannot_be_done_says_so_and_leaves_nothing(tmp_path, command, estimate, fact, message):
    (tmp_path / "quick.yaml").write_text(TEXT.format(estimate=estimate, fact=fact))
    code, _, told = command("fit", "quick.yaml", "--out", "out")
    assert code == 1
    assert message in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path, command):
    (tmp_path / "quick.yaml").write_text(TEXT.format(estimate="plasma.F: {bounds: [0.01, 1]}", fact=FACT))
    (tmp_path / "out").write_text("in the way")
    code, _, told = command("fit", "quick.yaml", "--out", "out")
    assert code == 1
    assert "cannot write to out" in told


def test_fits_are_listed_described_checked_and_have_a_schema(command):
    assert "occupancy_pet" in command("list", "fits")[1]
    assert "| `scan` | 4 h | 1 h to 8 h |" in command("describe", "occupancy_pet", "--format", "md")[1]
    assert command("check", str(LIBRARY / "models" / "fits"))[1] == "6 files without faults\n"
    schema = json.loads(command("schema", "fit")[1])
    assert {"estimate", "facts", "tables"} <= schema["properties"].keys()
    assert schema["properties"]["model"] == {"type": "string"}


def test_the_tolerance_reaches_the_solver(monkeypatch):
    """`fit --rtol` and `validate --rtol`, `--solver`: what is asked for is what is used."""
    from ldnsim.calibration.fitting import batch
    from ldnsim.calibration.validation import runs

    asked = []
    solver = batch.choose.solver

    def noted(name="native", threads=None):
        solve = solver(name, threads)

        def with_note(system, parameters, initial, schedules, times, outputs, rtol=1e-6, **more):
            asked.append((name, rtol))
            return solve(system, parameters, initial, schedules, times, outputs, rtol, **more)

        return with_note

    monkeypatch.setattr(batch.choose, "solver", noted)
    record = ldn.load_fit("oral_clearance")
    some = {"plasma.CL": record.estimate["plasma.CL"]}
    ldn.fit(record.model_copy(update={"starts": 1, "estimate": some}), rtol=1e-7)
    assert {rtol for name, rtol in asked} >= {1e-7}
    assert 1e-9 not in {rtol for _, rtol in asked}
    told = []
    monkeypatch.setattr(runs, "simulate", lambda scenario, **options: told.append(options) or "none")
    runs.runs_of(ldn.load_model("ldn"), ldn_predictions(), {}, rtol=1e-8, solver="reference")
    assert told
    assert all(options == {"rtol": 1e-8, "solver": "reference"} for options in told)


def ldn_predictions():
    from ldnsim.library.files import load_predictions

    return load_predictions()
