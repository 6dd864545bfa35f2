"""Models whose equations switch by the clock or once, as people use them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from recording import RECORDED

import ldnsim as ldn

CLOCKED = str(RECORDED.parent / "clocked.yaml")
ARMS = {
    "daily": '{input: vein, dose: 1 mg, at: "00:00"}',
    "odd": '{input: vein, dose: 1 mg, at: "02:00", every: 31 h}',
}
REPORT = "report: [level, pulsed]"


def pulsed(times: np.ndarray, begin: float, length: float = 5.0) -> np.ndarray:
    """What a pulse of 100 nmol/h made and 0.1/h has left, nmol."""
    inside = np.clip(times, begin, begin + length) - begin
    return 1000 * (1 - np.exp(-0.1 * inside)) * np.exp(-0.1 * np.maximum(times - begin - length, 0))


@pytest.mark.parametrize("solver", ["native", "reference"])
def test_a_drug_without_influence_has_no_rebound(ask, solver):
    result = ldn.simulate(ask(duration="5 d", model=CLOCKED, extra=REPORT, **ARMS), solver=solver)
    np.testing.assert_allclose(result.level.values, 1, atol=1e-4)
    table = ldn.summarize(result)
    np.testing.assert_allclose(table.level_rebound_peak.values, 0, atol=1e-4)
    assert (table.level_rebound_hours.values == 0).all()


@pytest.mark.parametrize("start", ["drug_free", "steady_state"])
def test_a_pulse_between_doses(ask, start):
    extra = f"{REPORT}\nstart: {start}"
    scenario = ask(arm=ARMS["daily"], duration="5 d", model=CLOCKED, extra=extra)
    times = np.array([0, 50.0, 52.0, 72.0, 120.0])
    if start == "steady_state":  # a pulse that does not come every day
        with pytest.raises(ldn.LdnsimError, match="does not repeat every day"):
            ldn.simulate(scenario)
        return
    result = ldn.simulate(scenario, times=times)
    np.testing.assert_allclose(result.pulsed.values[0, 0], pulsed(times, 50), rtol=1e-4, atol=1e-3)


def test_people_with_pulses_of_their_own(ask):
    extra = f"{REPORT}\npopulation: {{size: 8}}"
    scenario = ask(arm=ARMS["daily"], duration="5 d", model=CLOCKED, extra=extra)
    times = np.linspace(0, 120, 121)
    result = ldn.simulate(scenario, times=times)
    assert len(set(result.begin.values.tolist())) == 8
    for place, begin in enumerate(result.begin.values.tolist()):
        expected = pulsed(times, begin)
        np.testing.assert_allclose(result.pulsed.values[0, 0, place], expected, rtol=0, atol=3e-5 * expected.max())
    some = ldn.simulate(scenario, times=times, subjects=range(4, 6))
    assert some.pulsed.values.tobytes() == result.pulsed.sel(subject=[4, 5]).values.tobytes()


def test_records_see_the_same():
    model = ldn.load_model(CLOCKED)
    columns = ["ID", "TIME", "EVID", "AMT", "CMT", "begin"]
    rows = []
    for person, begin in ((1, 50.0), (2, 61.3)):
        rows.append((person, 0, 1, 1000, "vein", begin))
        rows += [(person, time, 0, 0, ".", begin) for time in (51, 72, 90)]
    found = ldn.simulate_data(model, pd.DataFrame(rows, columns=columns), outputs=["pulsed", "level"])
    for row in found.to_dict("records"):
        expected = pulsed(np.array([row["TIME"]]), row["begin"])[0]
        assert row["pulsed"] == pytest.approx(expected, rel=1e-4, abs=1e-3)
        assert row["level"] == pytest.approx(1, abs=1e-4)


def test_sweeps_move_a_pulse(ask):
    scenario = ask(arm=ARMS["daily"], duration="5 d", model=CLOCKED, extra=f"{REPORT}\nwindow: [0 h, 120 h]")
    table = ldn.sweep(scenario, {"part.begin": ["50 h", "51.3 h", "75 h"]})
    # what was made, less what is still there
    left = [pulsed(np.array([120.0]), begin)[0] for begin in (50.0, 51.3, 75.0)]
    expected = (500 - np.array(left)) / 0.1 / 120
    np.testing.assert_allclose(table.pulsed_mean.values.ravel(), expected, rtol=2e-2)
