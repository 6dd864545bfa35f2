"""NONMEM's answers to event records: read where they are, never copied.

They are looked for in the folder that LDNSIM_ORACLES names, else in ../shared/oracles beside the checkout. Where the
variable is set these tests are never skipped: CI sets it, so that the agreement that the README states is checked.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ldnsim as ldn

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("LDNSIM_ORACLES", ROOT.parent / "shared" / "oracles")) / "nmtests"
DIGITS = 1e-4  # the answers have five

pytestmark = pytest.mark.skipif(
    "LDNSIM_ORACLES" not in os.environ and not FOLDER.is_dir(), reason="no answers of NONMEM here (LDNSIM_ORACLES)"
)


@pytest.fixture(scope="module")
def model():
    return ldn.load_model(ROOT / "tests" / "models" / "recorded.yaml")


@pytest.mark.parametrize("solver", ["native", "reference"])
def test_all_scenarios_row_by_row(model, solver):
    frame, answers = pd.read_csv(FOLDER / "1001.csv"), pd.read_csv(FOLDER / "1001-nm.csv")
    found = ldn.simulate_data(model, frame, outputs=["CP"], solver=solver)
    assert frame.ID.nunique() == 29
    assert found.ID.tolist() == answers.ID.tolist()
    assert found.time.tolist() == answers.TIME.tolist()
    np.testing.assert_allclose(found.CP, answers.CP, rtol=DIGITS, atol=1e-9)


def test_values_that_change_with_time(model):
    """Between records, weight is that of the record at the end."""
    frame, answers = pd.read_csv(FOLDER / "2001.csv"), pd.read_csv(FOLDER / "2001-nm.csv")
    found = ldn.simulate_data(model, frame, outputs=["CP"])
    np.testing.assert_allclose(found.CP_simulated, answers.NONMEM, rtol=DIGITS, atol=1e-9)
    constant = ldn.simulate_data(model, frame.drop(columns="WT"), outputs=["CP"])
    assert np.abs(constant.CP_simulated / answers.NONMEM - 1).max() > 0.01  # the weight does matter


def test_each_alone_as_in_company(model):
    frame = pd.read_csv(FOLDER / "1001.csv")
    together = ldn.simulate_data(model, frame, outputs=["CP"])
    for individual in (5, 12, 14, 25, 28):
        rows = frame["ID"].eq(individual)
        alone = ldn.simulate_data(model, frame[rows], outputs=["CP"])
        assert alone.CP.to_numpy().tobytes() == together.CP[rows].to_numpy().tobytes()
