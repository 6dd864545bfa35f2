"""Steady states where elimination saturates: how far a state still is, and doses that it cannot keep up with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from recording import RECORDED

import ldnsim as ldn

SATURABLE = str(RECORDED.parent / "saturable.yaml")
VMAX, KM, INTERVAL = 130.0, 1000.0, 8.0
MOST = VMAX * INTERVAL  # that can be eliminated between two doses
EVERY = pytest.mark.parametrize("solver", ["native", "reference"])
some = settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


def peak(amount: np.ndarray) -> np.ndarray:
    """Of the steady state, just after a dose: what one interval takes away is the dose."""
    return amount / np.expm1((MOST - amount) / KM) + amount


def records(amounts, **more) -> pd.DataFrame:
    columns = {"ID": np.arange(1, len(amounts) + 1), "TIME": 0, "EVID": 1, "AMT": amounts, "CMT": "part.body"}
    return pd.DataFrame(columns | {"SS": 1, "II": INTERVAL} | more)


def simulated(amounts, solver="native", **more) -> pd.DataFrame:
    data = records(amounts, **more)
    data = pd.concat([data, data.assign(TIME=1e-9, EVID=0, AMT=0, SS=0, II=0)]).sort_values(["ID", "TIME"])
    return ldn.simulate_data(ldn.load_model(SATURABLE), data, outputs=["amount"], rtol=1e-9, solver=solver)


@EVERY
def test_records_are_in_the_steady_state_up_to_the_very_edge(solver):
    amounts = np.array([1.0, 10, 300, 900, 1000, 1030, 1038, 1039, 1039.9, 1039.99])
    found = simulated(amounts, solver)
    assert (found.status == "solved").all()
    tops = found.amount[found.TIME > 0].to_numpy()
    np.testing.assert_allclose(tops, peak(amounts), rtol=1e-5)
    np.testing.assert_allclose(tops[:8], peak(amounts[:8]), rtol=5e-7)


@given(st.lists(st.floats(1, 1039.99), min_size=1, max_size=8))
@some
def test_any_dose_below_what_can_be_eliminated(amounts):
    found = simulated(amounts)
    assert (found.status == "solved").all()
    np.testing.assert_allclose(found.amount[found.TIME > 0], peak(np.array(amounts)), rtol=2e-5)


@EVERY
def test_records_that_grow_without_end_are_refused(solver):
    amounts = [500.0, 1040.0, 1040.001, 1041.0, 1043.0, 1100.0, 2000.0, 1e5, 1e9]
    found = simulated(amounts, solver)
    top = found[found.TIME > 0]
    assert top.status.iloc[0] == "solved"
    assert top.status.iloc[1:].str.contains("no steady state: part.body grows from cycle to cycle without end").all()
    assert top.amount.iloc[0] == pytest.approx(peak(500.0), rel=1e-6)
    assert top.amount.iloc[1:].isna().all()
    assert any("8 of 9 individuals could not be solved" in note for note in found.attrs["notes"])


@given(st.floats(1040, 1e6))
@some
def test_any_dose_beyond_it_is_refused(amount):
    assert simulated([amount]).status.str.contains("without end").all()


@EVERY
@pytest.mark.parametrize("steady", [1, 2])
def test_a_clearance_below_zero_is_told(solver, steady):
    """A dosed amount that returns would be negative, and nothing leads there."""
    found = simulated([100.0, 100.0], solver, Vmax=0.0, k=[0.1, -0.1], SS=steady)
    assert found.status[found.ID == 1].eq("solved").all()
    assert found.status[found.ID == 2].str.contains("grows from cycle to cycle without end").all()
    assert any("1 of 2 individuals could not be solved: 2" in note for note in found.attrs["notes"])
    assert found.amount[(found.ID == 1) & (found.TIME > 0)].item() == pytest.approx(100 / -np.expm1(-0.8), rel=1e-6)


@EVERY
@pytest.mark.parametrize("dose", [250, 1000, 1039.9, 1040.0, 1041.0, 1100.0, 3000.0])
def test_scenarios_that_start_in_a_steady_state(ask, dose, solver):
    line = f'{{input: vein, dose: {dose} nmol, at: ["00:00", "08:00", "16:00"]}}'
    scenario = ask(arm=line, duration="1 d", model=SATURABLE, extra="start: steady_state")
    result = ldn.simulate(scenario, times=[0, 8.0, 16.0], solver=solver)
    if dose < MOST:
        assert (result.status == 0).all()
        np.testing.assert_allclose(result.amount.values.ravel(), peak(dose) - dose, rtol=1e-5)
        assert float(result.steady_residual.max()) < 1e-5
    else:
        assert (result.status == 6).all()
        assert "part.body grows from cycle to cycle without end" in result.reason.item()
        assert np.isnan(result.amount.values).all()


def test_company_moves_no_bit():
    amounts = np.array([1039.0, 2.0, 1041.0, 1039.99, 900.0])
    together = simulated(amounts).amount.to_numpy().reshape(5, 2)
    for place, amount in enumerate(amounts):
        assert simulated([amount]).amount.to_numpy().tobytes() == together[place].tobytes()
