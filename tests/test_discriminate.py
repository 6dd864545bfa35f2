"""Which observation would discriminate best between accounts: differences over their standard deviation."""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.calibration.discriminate import _hardest, best_hours, candidate_observations, frame_of
from ldnsim.foundation.errors import LdnsimError


@pytest.fixture(scope="module")
def found():
    return candidate_observations(ldn.load_model("ldn"))


def test_the_hardest_pair_counts():
    values, variances = np.array([0.7, 0.5, 0.14]), np.array([0.01, 0.03, 0.0])
    separation, pair = _hardest(values, variances, 0.1)
    assert pair == (0, 1)
    assert separation == pytest.approx(0.2 / np.sqrt(0.02 + 0.01))


def test_a_scan_one_hour_after_a_first_low_dose(found):
    """68, 49 and 14 %: of all hours after a single 4.5 mg this one parts the accounts best."""
    best = next(s for s in found if (s.output, s.dose, s.regimen) == ("mu_occupancy", "4.5 mg", "once"))
    assert best.hour == 1
    assert [round(100 * value) for value in best.values.values()] == pytest.approx([68, 49, 14], abs=2)
    assert best.separation > 1


def test_best_first_and_each_once(found):
    separations = [observation.separation for observation in found]
    assert separations == sorted(separations, reverse=True)
    best = best_hours(found)
    assert len({(s.output, s.dose, s.regimen) for s in best}) == len(best) < len(found)


def test_people_and_parameters_add_up_to_the_total_sd(found):
    for observation in found[:20]:
        assert all(value >= 0 for value in [*observation.people.values(), *observation.parameters.values()])
        account = next(iter(observation.values))
        assert observation.total_sd(account) == pytest.approx(
            np.hypot(observation.people[account], observation.parameters[account])
        )
    assert any(observation.people["pet_pool"] > 0.05 for observation in found)
    assert any(observation.parameters["transient"] > 0.05 for observation in found)  # EC50 over its range


def test_what_an_output_is_a_share_of(found):
    assert {observation.output: observation.share_of for observation in found} == {
        "mu_occupancy": "receptors", "delta_occupancy": "receptors", "endorphin": "the drug-free level",
    }  # fmt: skip


def test_the_frame(found):
    frame = frame_of(found)
    assert {"separation", "hardest", "transient", "transient_people", "pet_slow_parameters"} <= set(frame.columns)
    assert len(frame) == len(found)


def test_one_account_is_not_enough():
    with pytest.raises(LdnsimError, match="two accounts"):
        candidate_observations(ldn.load_model("ldn", account="pet_pool"))


PART = """
format: ldnsim-part/1
name: {name}
version: 0.1.0
title: "Receptors with an affinity of their own"
evidence: measured
exports: {{{output}: "Occupancy"}}
parameters:
  k: {{value: 1 1/h, range: [0.5 1/h, 2 1/h], source: assumed, note: "test", description: "Elimination"}}
  a: {{value: {affinity} 1/nmol, source: assumed, note: "test", description: "Affinity"}}
states:
  body: {{unit: nmol, scale: 1000 nmol, description: "Amount"}}
equations: |
  {output} = a*body/(1 + a*body)
  d/dt(body) = -k*body
"""
MODEL = """
format: ldnsim-model/1
name: mini
version: 0.1.0
title: "Two affinities, nobody who differs"
drugs: {{testol: {{molar_mass: 250 g/mol, source: assumed}}}}
slots: {{receptors: [weak, strong]}}
inputs: {{{way}: {{drug: testol, to: {{receptors.body: 1}}}}}}
outputs: {{{output}: {{kind: blockade, title: "Bound", unit: "1"}}}}
accounts:
  low: {{title: "Low affinity", receptors: weak}}
  high: {{title: "High affinity", receptors: strong}}
"""


def mini(folder, way, output="mu_occupancy"):
    for name, affinity in (("weak", 1e-4), ("strong", 1e-3)):
        (folder / f"{name}.yaml").write_text(PART.format(name=name, affinity=affinity, output=output).lstrip())
    (folder / "mini.yaml").write_text(MODEL.format(way=way, output=output).lstrip())
    return ldn.load_model(str(folder / "mini.yaml"))


def test_a_model_without_a_person_is_compared(tmp_path):
    found = candidate_observations(mini(tmp_path, "oral"))
    assert {(observation.output, observation.share_of) for observation in found} == {("mu_occupancy", "receptors")}
    assert found[0].separation > 1
    assert max(found[0].people.values()) < 1e-12
    assert all(sd > 0.01 for sd in found[0].parameters.values())  # of k


def test_a_model_without_what_is_compared_is_refused_with_all_reasons(tmp_path):
    with pytest.raises(LdnsimError, match=r"no input 'oral'[^\n]*\n.*the model has vein$"):
        candidate_observations(mini(tmp_path, "vein"))
    with pytest.raises(LdnsimError, match=r"(?s)no input 'oral'.*no output that can be measured.*mu_occupancy, delta"):
        candidate_observations(mini(tmp_path, "vein", "bound"))
