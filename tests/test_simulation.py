"""The one road: what a result holds, where it samples, whom it draws, what becomes of those who cannot be solved."""

from __future__ import annotations

import json

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.engine import reference

NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
MORNING = '{input: oral, dose: 4.5 mg, at: "08:00"}'


@pytest.fixture
def result(ask):
    return ldn.simulate(ask("3 d", "[transient, pet_pool]", night=NIGHT, morning=MORNING))


def test_dimensions_units_and_tags(result):
    sizes = {"account": 2, "arm": 2, "time": result.sizes["time"], "dose": 3, "piece": result.sizes["piece"], "node": 6}
    assert dict(result.sizes) == sizes
    assert result.Cp.dims == ("account", "arm", "time")
    assert result.Cp.attrs["units"] == "nmol/L"
    assert result.Cp.attrs["evidence"] == "fitted"
    assert result.opioid_tone.attrs["evidence"] == "hypothesis"
    assert result.mu_occupancy.attrs["evidence"] == "hypothesis"  # the weakest of the accounts
    assert result.mu_occupancy.attrs["evidence_transient"] == "hypothesis"
    assert result.mu_occupancy.attrs["observed_hours"] == 8
    assert all("long_name" in result[name].attrs for name in result.data_vars)
    assert (result.status == 0).all()
    assert (result.reason == "").all()


def test_provenance(result, ask):
    attrs = result.attrs
    assert attrs["scenario"] == "question"
    assert "format: ldnsim-scenario/1" in attrs["scenario_text"]
    assert len(attrs["model_hash"]) == 64
    assert attrs["seed"] == 1
    assert attrs["window"] == [48.0, 72.0]
    assert "extrapolated" in attrs["extrapolated"][0]
    changed = ldn.simulate(ask("1 d", "[transient]", night=NIGHT).with_changes({"occupancy.EC50": "x 0.5"}))
    assert json.loads(changed.attrs["changes"]) == {"occupancy.EC50": "x 0.5"}
    assert changed.attrs["model_hash"] == attrs["model_hash"]


def test_runs_start_on_the_drug_free_orbit(result):
    before = result.sel(arm="night", time=slice(0, 22))
    np.testing.assert_allclose(before.opioid_tone, 1, rtol=1e-6)
    twin = result.endorphin_drug_free.sel(account="transient")
    np.testing.assert_allclose(twin.sel(time=48), twin.sel(time=0), rtol=1e-6)
    day = twin.sel(time=np.arange(24.0))
    assert float(day.mean()) == pytest.approx(1, rel=1e-9)  # fold of its daily mean without drug


def test_sampling(result):
    times = result.time.values
    assert (np.diff(times) > 0).all()
    assert set(np.arange(73.0)) <= set(times)  # hourly
    assert np.isclose(times[:, None], 48 + np.arange(289) / 12, atol=1e-9).any(axis=0).all()  # 5 min on the last day
    for first_dose in (8.0, 22.0):
        close = times[(times > first_dose + 1e-9) & (times <= first_dose + 6)]
        assert np.diff(close).max() == pytest.approx(1 / 12, abs=1e-9)
        assert np.nextafter(first_dose, np.inf) in times  # both sides of a dose
    far = times[(times > 30.5) & (times < 32)]
    assert np.diff(far, prepend=30).max() >= 0.9  # but not everywhere


def test_sampling_on_request(ask):
    question = ask("2 d", "[transient]", extra="sample: 90 min", night=NIGHT)
    np.testing.assert_allclose(ldn.simulate(question).time, np.arange(0, 48.1, 1.5))
    np.testing.assert_array_equal(ldn.simulate(question, times=[0, 1.25, 40]).time, [0, 1.25, 40])


def test_samples_do_not_move_the_answer(ask):
    question = ask("2 d", "[pet_pool]", night=NIGHT)
    fine = ldn.simulate(question, times=np.arange(0, 48, 0.25))
    coarse = ldn.simulate(question, times=[0, 30, 47])
    np.testing.assert_allclose(coarse.opioid_tone, fine.opioid_tone.sel(time=[0, 30, 47]), rtol=1e-6)


def test_same_bits_again(ask):
    question = ask("2 d", "[transient]", extra="population: {size: 2, seed: 3}", night=NIGHT)
    first, second = ldn.simulate(question), ldn.simulate(question)
    assert first.identical(second)


def test_people_are_the_same_in_any_population(ask):
    few = ldn.simulate(ask("1 d", "[transient]", extra="population: {size: 2, seed: 5}", night=NIGHT))
    more = ldn.simulate(ask("1 d", "[transient]", extra="population: {size: 4, seed: 5}", night=NIGHT, morning=MORNING))
    assert few.Cp.dims == ("account", "arm", "subject", "time")
    # arms differ, so the sampling does: compare where both looked
    common = np.intersect1d(few.time, more.time)
    np.testing.assert_allclose(
        few.Cp.sel(arm="night", time=common),
        more.Cp.sel(arm="night", subject=[1, 2], time=common),
        rtol=1e-6,
        atol=1e-9,
    )
    peaks = more.Cp.sel(arm="night").max("time").squeeze()
    assert len(np.unique(peaks.round(6))) == 4


def test_a_person_who_cannot_be_solved_is_kept_with_a_reason(ask, monkeypatch):
    question = ask("1 d", "[transient]", extra="population: {size: 3, seed: 1}", night=NIGHT)
    whole = ldn.simulate(question, solver="reference")
    integrate = reference.integrate

    def failing(system, parameters, initial, schedule, *rest):
        if schedule and failing.calls == 1:
            failing.calls += 1
            raise reference.Failed(reference.Status.TOO_MANY_STEPS, "gave up")
        failing.calls += bool(schedule)
        return integrate(system, parameters, initial, schedule, *rest)

    failing.calls = 0
    monkeypatch.setattr(reference, "integrate", failing)
    result = ldn.simulate(question, solver="reference")
    assert result.status.squeeze().values.tolist() == [0, 2, 0]
    assert result.reason.squeeze().values.tolist() == ["", "gave up", ""]
    assert np.isnan(result.Cp.sel(subject=2)).all()
    assert np.isnan(result.opioid_tone.sel(subject=2)).all()
    assert result.Cp.sel(subject=[1, 3]).identical(whole.Cp.sel(subject=[1, 3]))


def test_a_loop_without_rhythm_to_settle_on_is_told(ask):
    question = ask("1 d", "[transient]", night=NIGHT).with_changes({"endorphin.th0": 0})
    result = ldn.simulate(question)
    assert int(result.status.squeeze()) != 0
    assert "no drug-free rhythm" in str(result.reason.squeeze().values)
    assert np.isnan(result.opioid_tone).all()


def test_the_fixed_loop_is_the_null_hypothesis(ask):
    question = ask("2 d", "[pet_pool]", night=NIGHT).with_changes({"endorphin": "endorphin_fixed"})
    result = ldn.simulate(question)
    np.testing.assert_allclose(result.endorphin.isel(arm=0), result.endorphin_drug_free, rtol=1e-9)
    assert float(result.opioid_tone.max()) <= 1 + 1e-9


def test_zero_dose_is_no_dose(ask):
    result = ldn.simulate(ask("2 d", "[pet_slow]", none='{input: oral, dose: 0 mg, at: "08:00"}'))
    assert float(result.Cp.max()) == 0
    np.testing.assert_allclose(result.opioid_tone, 1, rtol=1e-6)


@pytest.mark.parametrize("account", ["transient", "pet_pool", "pet_slow"])
def test_every_output_of_every_account(ask, account):
    result = ldn.simulate(ask("1 d", f"[{account}]", night=NIGHT))
    assert set(ldn.load_model("ldn").outputs) <= set(result.data_vars)
    assert all(np.isfinite(result[name]).all() for name in ldn.load_model("ldn").outputs)


@pytest.mark.parametrize("times", [[], [-5, 0, 10], [0, 2000], [3, 1], [0, float("nan")], [0, 0]])
def test_sample_times_outside_of_the_run_are_refused(ask, times):
    with pytest.raises(ldn.LdnsimError, match="ample times"):
        ldn.simulate(ask("2 d", "[transient]", night=NIGHT), times=times)


def test_metrics_of_ones_own_sample_times(ask):
    result = ldn.simulate(ask("3 d", "[transient]", night=NIGHT), times=np.arange(25.0))
    assert result.attrs["window"] == [0, 24]
    assert float(ldn.summarize(result).opioid_tone_mean.squeeze()) < 1


def test_receptors_up_regulated_through_both_solvers(ask):
    question = ask("7 d", "[pet_slow]", night=NIGHT).with_changes({"receptors": "receptors_upregulated"})
    times = np.arange(0, 168.0, 3)
    native = ldn.simulate(question, times=times)
    slow = ldn.simulate(question, times=times, solver="reference", rtol=1e-9)
    np.testing.assert_allclose(native.opioid_tone, slow.opioid_tone, rtol=3e-5)
    assert float(native.receptor_density.max()) > 1.1


def test_a_stretch_of_subjects_is_those_people_to_the_bit(ask):
    line = '{input: oral, dose: 4.5 mg, at: "22:00", miss: 30 %, jitter: 1 h}'
    asked = ask("2 d", "[transient]", night=line).with_changes({"population.size": 40})
    whole, part = ldn.simulate(asked), ldn.simulate(asked, subjects=range(18, 21))
    assert part.subject.values.tolist() == [18, 19, 20]
    for name in ("Cp", "opioid_tone"):
        np.testing.assert_array_equal(part[name], whole[name].sel(subject=part.subject))
    np.testing.assert_array_equal(part.dose_time.max("dose"), whole.dose_time.sel(subject=part.subject).max("dose"))


@pytest.mark.parametrize("subjects", [range(3), range(39, 42), range(5, 5), range(1, 10, 2)])
def test_subjects_who_are_not_there(ask, subjects):
    asked = ask("1 d", "[transient]", night=NIGHT).with_changes({"population.size": 40})
    with pytest.raises(ldn.LdnsimError, match="the population has 1 to 40"):
        ldn.simulate(asked, subjects=subjects)
