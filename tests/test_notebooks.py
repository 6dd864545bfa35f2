"""The notebooks run, use what everybody may use, say what is measured, and are kept without outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ldnsim as ldn

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LONGEST = 120  # s a cell, on the slowest of machines

nbformat = pytest.importorskip("nbformat")


def read(file: Path):
    return nbformat.read(file, as_version=4)


def code(file: Path) -> str:
    return "\n".join(cell.source for cell in read(file).cells if cell.cell_type == "code")


def test_they_are_numbered_without_a_gap():
    assert [file.name[:3] for file in NOTEBOOKS] == [f"{number:02d}_" for number in range(1, len(NOTEBOOKS) + 1)]
    assert len(NOTEBOOKS) == 8


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_is_kept_without_outputs(file):
    cells = [cell for cell in read(file).cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    assert all(cell.source.strip() for cell in read(file).cells)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_uses_the_public_interface_and_says_what_is_measured(file):
    source = code(file)
    assert re.findall(r"^(?:import|from) (ldnsim.*)$", source, re.M) == ["ldnsim as ldn"]
    assert set(re.findall(r"\bldn\.(\w+)", source)) <= set(ldn.__all__)
    assert set(re.findall(r"\bldn\.plots\.(\w+)", source)) <= set(ldn.plots.__all__)
    last = [cell.source for cell in read(file).cells if cell.cell_type == "markdown"]
    assert any("## What is measured, and what is not" in text for text in last)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_runs(file, tmp_path, monkeypatch):
    client = pytest.importorskip("nbclient")
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")  # as JupyterLab shows it, without plotly's script
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = read(file)
    where = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=LONGEST, kernel_name="python3", resources=where).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for output in shown for kind in output.get("data", {})}
    assert "application/vnd.plotly.v1+json" in kinds
    assert not [output for output in shown if output.get("name") == "stderr"]


def test_the_answers_of_how_it_works_hold():
    scenario = ldn.load_scenario("night_vs_morning").model_copy(update={"accounts": ("transient",)})
    scenario = scenario.with_changes({"duration": "7 d", "endorphin.a": 0})

    def found(changes: dict, metric: str) -> float:
        table = ldn.summarize(ldn.simulate(scenario.with_changes(changes)))
        return float(table[metric].sel(arm="night", account="transient"))

    peak, hours, free = "opioid_tone_rebound_peak", "opioid_tone_rebound_hours", "mu_occupancy_unblocked_hours"
    said = [
        ({}, peak, 0.18, 0.005), ({}, hours, 14, 0.5), ({}, free, 20, 0.5),
        ({"plasma.CL": "x 0.5"}, peak, 0.10, 0.005), ({"plasma.CL": "x 0.5"}, free, 5, 0.5),
        ({"endorphin.g": 0}, peak, 0.24, 0.005),
        ({"endorphin.t_S": "x 0.2"}, hours, 8, 0.5),
        ({"endorphin.hmax": 1}, peak, 0.0, 1e-6),
    ]  # fmt: skip
    for changes, metric, value, tolerance in said:
        assert found(changes, metric) == pytest.approx(value, abs=tolerance), (changes, metric)
    assert found({"occupancy.EC50": "x 0.25"}, peak) == pytest.approx(found({"night.dose": "18 mg"}, peak), rel=1e-4)


def test_the_answer_of_rival_accounts_holds():
    occupancy = 100 * ldn.simulate(ldn.load_scenario("first_dose"))["mu_occupancy"].isel(arm=0)
    accounts = ["transient", "pet_pool", "pet_slow"]
    for hour, said in ((1.0, (69, 50, 14)), (24.0, (4, 42, 47))):
        at = occupancy.sel(account=accounts).sel(time=hour, method="nearest").values
        assert at == pytest.approx(said, abs=0.6)
    assert (
        float(occupancy.sel(time=2.5, method="nearest").max() - occupancy.sel(time=2.5, method="nearest").min()) < 10.5
    )


def test_what_beyond_low_doses_says_of_challenges_and_naloxone_holds():
    table = ldn.summarize(ldn.simulate(ldn.load_scenario("opioid_challenge")))
    through = table["agonist_occupancy_peak"] / table["agonist_occupancy_peak"].sel(arm="alone")
    assert float(through.sel(account="transient", arm="h48")) > 0.9
    assert float(through.sel(account="pet_pool", arm="h72")) == pytest.approx(1 / 3, abs=0.04)
    held = ldn.simulate(ldn.load_scenario("naloxone_rescue"))["agonist_occupancy"].isel(account=0).sel(arm="vein")
    early, later = (float(held.sel(time=hour, method="nearest")) for hour in (1.1, 2.0))
    assert early < 0.25
    assert later > 0.28
