"""Delivery parameters (lag, bioavailability, release duration): the same for fits, draws and schedules."""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.calibration.parameter_spread import free_parameters

FIT = """\
format: ldnsim-fit/1
name: release
question: How long does the tablet take to release its dose?
model: ldn
account: pet_pool
duration: 48 h
arms:
  tablet: {regimen: [{input: oral_extended, dose: 16 mg, at: "08:00", until: day 1}]}
estimate:
  plasma.t_release: {start: 4 h, bounds: [1 h, 20 h]}
facts:
"""


def test_an_input_names_all_that_delivers_its_dose():
    product = ldn.load_model("ldn").inputs["oral_extended"]
    assert "plasma.t_release" in product.delivery_parameters
    assert product.lag is None or product.lag in product.delivery_parameters


def test_a_release_duration_is_fitted_to_extended_release_data(tmp_path):
    """It was refused: "plasma.t_release moves none of the data"."""
    truth = "9 h"
    head = FIT + "  a: {arm: tablet, output: Cp, at: 1 h, value: 1 nmol/L, cv: 10 %}\n"
    (tmp_path / "release.yaml").write_text(head)
    scenario = ldn.load_fit(tmp_path / "release.yaml").scenario.with_changes({"plasma.t_release": truth})
    times = [9.0, 11.0, 13.0, 15.0, 17.0, 19.0, 22.0, 26.0]
    levels = ldn.simulate(scenario, times=[0.0, *times, 48.0]).Cp.squeeze().sel(time=times)
    facts = "".join(
        f"  at_{time:g}: {{arm: tablet, output: Cp, at: {time:g} h, value: {float(level)!r} nmol/L, cv: 5 %}}\n"
        for time, level in zip(times, levels, strict=True)
    )
    (tmp_path / "release.yaml").write_text(FIT + facts)
    found = ldn.fit(tmp_path / "release.yaml").estimates.loc["plasma.t_release"]
    assert found["value"] == pytest.approx(9.0, rel=1e-3)


def test_the_uncertainty_of_extended_release_holds_its_release_duration():
    scenario = ldn.load_scenario("contrave_extended_release")
    assert "plasma.t_release" in {address for address, _, _ in free_parameters(scenario)}


def test_an_input_without_release_leaves_the_release_duration_out():
    scenario = ldn.load_scenario("night_vs_morning")
    assert "plasma.t_release" not in {address for address, _, _ in free_parameters(scenario)}
    assert np.all([isinstance(name, str) for name in ldn.load_model("ldn").inputs["oral"].delivery_parameters])
