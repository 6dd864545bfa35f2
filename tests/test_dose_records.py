"""A scenario's doses as records, and back: the same curves, per arm and person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.simulation.nonmem import read_table, write_table

MIXED = (
    '{input: oral, dose: 4.5 mg, at: "22:00", potency: [90 %, 110 %], jitter: 30 min, miss: 20 %}, '
    '{input: intravenous, dose: 1 mg, at: "06:30", infuse: 90 min, days: [mon, wed]}'
)
PLAIN = '{input: oral, dose: 3 mg, at: ["08:00", "20:00"], until: day 3}'
PEOPLE = "report: [Cp, mu_occupancy, endorphin]\npopulation: {size: 5, seed: 3}"


def answered(model: ldn.Model, doses: pd.DataFrame, times: np.ndarray, outputs: list[str]) -> pd.DataFrame:
    """The outputs at the times for each individual, as looked at before a dose of that very time."""
    who = doses.drop_duplicates("ID")
    looks = who.loc[who.index.repeat(len(times))].assign(TIME=np.tile(times, len(who)), EVID=0, AMT=0.0, RATE=0.0)
    frame = pd.concat([looks, doses]).sort_values(["ID", "TIME", "EVID"], kind="stable", ignore_index=True)
    found = ldn.simulate_data(model, frame, outputs=outputs)
    assert found.status.eq("solved").all()
    return found[found.EVID.eq(0)]


def test_the_same_curves_per_arm_and_person(ask, tmp_path):
    """Through a file, too. Salt, potency, infusions, drawn times, misses and people, and a changed parameter."""
    scenario = ask(mixed=MIXED, plain=PLAIN, duration="6 d", accounts="[pet_pool]", extra=PEOPLE)
    scenario = scenario.with_changes({"plasma.CL": "x 1.2", "occupancy.t_pool": "30 h"})
    times = np.linspace(0, 144, 97)
    outputs = ["Cp", "mu_occupancy", "endorphin"]
    expected = ldn.simulate(scenario, times=times)
    doses = ldn.export_doses(scenario)
    assert doses.ID.nunique() == 10
    assert {"plasma.CL", "occupancy.t_pool"} <= set(doses.columns)
    write_table(tmp_path / "doses.csv", doses)
    back = read_table(tmp_path / "doses.csv")
    for name in ("TIME", "AMT", "RATE", "plasma.CL"):
        assert pd.to_numeric(back[name]).tolist() == doses[name].tolist()  # no digit is lost
    model = ldn.load_model("ldn", account="pet_pool")
    found = answered(model, doses, times, outputs)
    for name in outputs:
        curves = found[name].to_numpy().reshape(2, 5, len(times))
        exact = expected[name].values[0]
        np.testing.assert_allclose(curves, exact, rtol=1e-8, atol=1e-9 * np.abs(exact).max())


def test_one_typical_person_to_the_bit(ask):
    scenario = ask(plain=PLAIN, duration="5 d", accounts="[transient]", extra="report: [Cp]")
    times = np.linspace(0, 120, 61)
    doses = ldn.export_doses(scenario)
    assert list(doses.columns) == ["ID", "ARM", "SUBJECT", "TIME", "EVID", "AMT", "RATE", "CMT"]
    assert doses.TIME.tolist() == [8, 20, 32, 44, 56, 68]
    assert doses.AMT.tolist() == [3e-6 * 1e12 / 377.86] * 6
    found = answered(ldn.load_model("ldn", account="transient"), doses, times, ["Cp"])
    assert found.Cp.tolist() == ldn.simulate(scenario, times=times).Cp.values[0, 0].tolist()


def test_who_takes_nothing_has_a_record_too(ask):
    scenario = ask(none="", one=PLAIN, duration="1 d", accounts="[transient]")
    doses = ldn.export_doses(scenario)
    assert doses.groupby("ARM").size().to_dict() == {"none": 1, "one": 2}
    assert doses[doses.ARM.eq("none")][["TIME", "EVID", "AMT"]].to_numpy().tolist() == [[0, 0, 0]]
    found = ldn.simulate_data(ldn.load_model("ldn", account="transient"), doses, outputs=["Cp"])
    assert found.status.eq("solved").all()


def test_one_account_at_a_time(ask):
    scenario = ask(one=PLAIN, accounts="[transient, pet_pool]")
    with pytest.raises(LdnsimError, match="compares 2 accounts"):
        ldn.export_doses(scenario)
    with pytest.raises(LdnsimError, match="did you mean 'pet_pool'"):
        ldn.export_doses(scenario, "pet_pol")
    assert len(ldn.export_doses(scenario, "pet_pool")) == 6


def test_slow_release_and_back(ask):
    line = '{input: oral_extended, dose: 4.5 mg, at: "21:00"}, {input: oral, dose: 1 mg, at: "09:00", infuse: 30 min}'
    scenario = ask(arm=line, duration="3 d", accounts="[pet_pool]", extra="report: [Cp]")
    times = np.linspace(0, 72, 145)
    found = answered(ldn.load_model("ldn", account="pet_pool"), ldn.export_doses(scenario), times, ["Cp"])
    exact = ldn.simulate(scenario, times=times).Cp.values[0, 0]
    np.testing.assert_allclose(found.Cp, exact, rtol=1e-8, atol=1e-9 * exact.max())


@pytest.mark.parametrize("at", ['"22:00"', '["23:50", "12:00"]'])
def test_parameters_that_differ_from_day_to_day(ask, at):
    """The second line of doses reaches over midnight with its lag."""
    line = f"{{input: oral, dose: 4.5 mg, at: {at}, jitter: 5 min}}"
    extra = "report: [Cp]\npopulation: {size: 4, seed: 2, occasion: 1 d}"
    scenario = ask(arm=line, duration="5 d", accounts="[pet_pool]", extra=extra)
    doses = ldn.export_doses(scenario)
    assert doses.groupby("ID")["plasma.ka"].nunique().min() > 3
    times = np.linspace(0, 120, 121)
    exact = ldn.simulate(scenario, times=times, rtol=1e-10).Cp.values[0, 0]
    who = doses.drop_duplicates("ID")[["ID"]]
    looks = who.loc[who.index.repeat(len(times))].assign(TIME=np.tile(times, 4), EVID=0, AMT=0.0, RATE=0.0, CMT=".")
    order = {0: 0, 2: 1, 1: 2}  # a look before what happens at its time, what was before a dose's new values
    frame = pd.concat([looks, doses])
    frame = frame.assign(order=frame.EVID.map(order)).sort_values(["ID", "TIME", "order"], kind="stable")
    found = ldn.simulate_data(ldn.load_model("ldn", account="pet_pool"), frame, outputs=["Cp"], rtol=1e-10)
    curves = found.Cp[found.EVID.eq(0)].to_numpy().reshape(4, len(times))
    np.testing.assert_allclose(curves, exact, rtol=1e-8, atol=1e-9 * exact.max())


def test_a_steady_start_is_no_record(ask):
    scenario = ask(arm=PLAIN.replace(", until: day 3", ""), accounts="[transient]", extra="start: steady_state")
    with pytest.raises(LdnsimError, match="before day 1 are no records"):
        ldn.export_doses(scenario)
