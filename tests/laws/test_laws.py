"""What must hold for any parameters within their ranges, in every account of the library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ldnsim as ldn
from ldnsim.addresses import setting_of
from ldnsim.dosing import Arm, RegimenLine
from ldnsim.engine import reference
from ldnsim.engine.events import Event, Kind
from ldnsim.system import compose, molar_mass
from ldnsim.taking import given_doses, missed_doses
from ldnsim.units import coherent

MODEL = ldn.load_model("ldn")
ACCOUNTS = list(MODEL.accounts)
RTOL = 1e-9
few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # a case costs a second: shrinking one would cost minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def drawn_changes(draw: st.DrawFn, slots: tuple[str, ...], account: str) -> dict[str, str]:
    """Values anywhere in the ranges that the files give, as addresses."""
    setting = setting_of(MODEL, account)
    changes = {}
    for name, parameter in setting.parameters.items():
        if name.split(".")[0] in slots and parameter.range is not None:
            low, high = (end.value for end in parameter.range)
            changes[name] = f"{low + draw(st.floats(0, 1)) * (high - low):.6g} {parameter.value.unit}".removesuffix(
                " 1"
            )
    if "plasma.F" in changes:
        changes["plasma.F"] = f"{min(float(changes['plasma.F']), 0.8):.6g}"
    return changes


@st.composite
def parameters(draw: st.DrawFn, *slots: str) -> tuple[str, dict[str, str]]:
    account = draw(st.sampled_from(ACCOUNTS))
    return account, drawn_changes(draw, slots, account)


def line(dose: str, at: str = '"22:00"', more: str = "") -> str:
    return f"{{input: oral, dose: {dose}, at: {at}{more}}}"


def run(question, changes, **options):
    used = {
        address: value
        for address, value in changes.items()
        if address.split(".")[0] in ("plasma", "occupancy", "endorphin")
    }
    return ldn.simulate(question.with_changes(used), rtol=RTOL, **options)


@few
@given(case=parameters("plasma", "occupancy"))
def test_no_dose_no_drift_and_zero_is_no_dose(ask, case):
    account, changes = case
    result = run(ask("10 d", f"[{account}]", nothing=line("0 mg")), changes)
    assert (result.status == 0).all()
    assert float(abs(result.Cp).max()) == 0
    assert float(abs(result.mu_occupancy).max()) == 0
    np.testing.assert_allclose(result.opioid_tone, 1, rtol=1e-6)
    twin = result.endorphin_drug_free.squeeze()
    days = [
        twin.sel(time=slice(24 * day, 24 * day + 23)).sel(time=np.arange(24 * day, 24 * day + 23)) for day in range(9)
    ]
    for day in days[1:]:
        np.testing.assert_allclose(day, days[0], rtol=1e-6)


@few
@given(case=parameters("plasma"))
def test_mass_goes_from_dose_to_body_to_elimination(case):
    account, changes = case
    setting = setting_of(MODEL, account, changes)
    system = compose(MODEL, setting.parts)
    p = np.array(
        [coherent(setting.values[name], molar_mass(MODEL, setting.parameters[name].of)) for name in system.parameters]
    )
    start = np.asarray(system.initial)
    gut, central = system.states.index("plasma.gut"), system.states.index("plasma.central")
    schedule = [Event(1.0, Kind.ADD, gut, 10_000.0), Event(5.0, Kind.ADD, central, 500.0)]
    body = [index for index, name in enumerate(system.states) if name.startswith("plasma.")]
    for time, state, _ in reference.integrate(system, p, start, schedule, np.array([0.0, 3.0, 30.0, 300.0]), RTOL):
        given_so_far = 10_000 * (time > 1) + 500 * (time > 5)
        assert sum(state[index] for index in body) == pytest.approx(given_so_far, rel=1e-6, abs=1e-6)


@few
@given(case=parameters("plasma"), first=st.floats(0.5, 10), second=st.floats(0.5, 50))
def test_plasma_superposes(ask, case, first, second):
    account, changes = case
    times = np.arange(0, 72.5, 0.5)
    one = run(ask("72 h", f"[{account}]", a=line(f"{first:.4g} mg", more=", until: day 1")), changes, times=times)
    other = run(
        ask("72 h", f"[{account}]", a=line(f"{second:.4g} mg", '"07:00"', ", from: day 2, until: day 2")),
        changes,
        times=times,
    )
    lines = (
        line(f"{first:.4g} mg", more=", until: day 1")
        + ", "
        + line(f"{second:.4g} mg", '"07:00"', ", from: day 2, until: day 2")
    )
    both = run(ask("72 h", f"[{account}]", a=lines), changes, times=times)
    for name in ("Cp", "Cm"):
        np.testing.assert_allclose(both[name], one[name] + other[name], rtol=1e-6, atol=1e-6 * float(both[name].max()))


@few
@given(case=parameters("plasma", "occupancy"), dose=st.floats(0.1, 100))
def test_shares_stay_shares(ask, case, dose):
    account, changes = case
    result = run(ask("4 d", f"[{account}]", a=line(f"{dose:.4g} mg")), changes)
    for name in ("mu_occupancy", "delta_occupancy", "kappa_occupancy"):
        assert float(result[name].min()) >= -1e-9
        assert float(result[name].max()) <= 1


@few
@given(case=parameters("plasma", "occupancy", "endorphin"), dose=st.floats(0.5, 50))
def test_competitors_share_the_receptors(case, dose):
    """Free, held by naltrexone and held by endogenous opioid add up to one, at any loads."""
    account, changes = case
    setting = setting_of(MODEL, account, changes)
    system = compose(MODEL, setting.parts)
    p = np.array(
        [coherent(setting.values[name], molar_mass(MODEL, setting.parameters[name].of)) for name in system.parameters]
    )
    schedule = [Event(1.0, Kind.ADD, system.states.index("plasma.gut"), dose * 2646.5)]
    found = reference.solve(
        system,
        p[None],
        np.array([system.initial]),
        [schedule],
        np.arange(0, 24.0),
        ["mu_free", "mu_occupancy", "u_endorphin"],
    )
    assert found.status[0] == 0
    free, held, load = found.values[0].T
    np.testing.assert_allclose(free + held + load * free, 1, rtol=1e-9)


@few
@given(case=parameters("plasma", "occupancy"))
def test_a_day_later_is_a_day_later(ask, case):
    account, changes = case
    times = np.arange(0, 97.0)
    early = run(ask("5 d", f"[{account}]", a=line("4.5 mg", more=", until: day 2")), changes, times=times)
    late = run(
        ask("5 d", f"[{account}]", a=line("4.5 mg", more=", from: day 2, until: day 3")),
        changes,
        times=times + 24.0 * (times > -1),
    )
    for name in ("Cp", "mu_occupancy", "endorphin", "opioid_tone"):
        np.testing.assert_allclose(late[name], early[name], rtol=1e-6, atol=1e-7 * float(abs(early[name]).max()))


@few
@given(case=parameters("occupancy"))
def test_night_and_morning_block_alike_without_a_rhythm(ask, case):
    account, changes = case
    question = ask(
        "28 d", f"[{account}]", night=line("4.5 mg"), morning=line("4.5 mg", '"08:00"'), extra="sample: 5 min"
    )
    table = ldn.summarize(run(question, {**changes, "endorphin.a": "0"}))
    night, morning = table.mu_occupancy_mean.values[0]
    # after 28 days the slowest pool still knows which dose came first by about one part in a thousand
    assert night == pytest.approx(morning, rel=4e-3)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_milligrams_and_nanomoles_agree(ask, account):
    weighed = ldn.simulate(ask("2 d", f"[{account}]", a=line("3.7786 mg")))
    counted = ldn.simulate(ask("2 d", f"[{account}]", a=line("10000 nmol")))  # 377.86 g/mol
    for name in ("Cp", "opioid_tone"):
        np.testing.assert_allclose(counted[name], weighed[name], rtol=1e-7, atol=1e-9)


# --- regimens: what holds for any of them


@st.composite
def regimens(draw: st.DrawFn) -> dict[str, object]:
    fields: dict[str, object] = {
        "input": "oral",
        "dose": "4.5 mg",
        "at": draw(st.sampled_from(["00:00", "22:00", ["08:00", "20:00"], ["07:30", "23:59"]])),
        "every": draw(st.sampled_from(["1 d", "2 d", "3 d"])),
    }
    if draw(st.booleans()):
        fields["jitter"] = draw(st.sampled_from(["10 min", "1 h"]))
    if draw(st.booleans()):
        fields["miss"] = f"{draw(st.integers(0, 100))} %"
    if draw(st.booleans()):
        fields["potency"] = ["85 %", "105 %"]
    if draw(st.booleans()):
        fields["bottle"] = {"holds": draw(st.integers(1, 40)), "t90": "30 d", "potency": ["95 %", "105 %"]}
    return fields


quick = settings(few, max_examples=60)


@quick
@given(fields=regimens(), shift=st.integers(1, 9), person=st.integers(1, 500))
def test_a_plan_moved_by_days_is_taken_alike_that_much_later(fields, shift, person):
    """Draws belong to the occasion, not to the date."""
    early, late = (
        Arm(regimen=(RegimenLine.model_validate({**fields, "from": first, "until": first + 29}),))
        for first in (3, 3 + shift)
    )
    (one,), (other,) = (given_doses(arm, 24.0 * 60, "mon", 7, [person]) for arm in (early, late))
    assert len(one) == len(other)
    for before, after in zip(one, other, strict=True):
        assert after.time - before.time == pytest.approx(24 * shift, abs=1e-9)
        assert after.potency == pytest.approx(before.potency, rel=1e-9)


@quick
@given(
    fields=regimens(),
    pieces=st.integers(2, 8),
    cv=st.floats(0.5, 50),
    person=st.integers(1, 500),
)
def test_all_pieces_of_a_tablet_are_the_tablet(fields, pieces, cv, person):
    plain = {name: value for name, value in fields.items() if name not in ("potency", "bottle")}
    line = RegimenLine.model_validate({**plain, "split": {"pieces": pieces, "cv": f"{cv:.4g} %"}})
    (taken,) = given_doses(Arm(regimen=(line,)), 24.0 * 40, "mon", 7, [person])
    held = [dose.potency for dose in taken]
    for first in range(0, len(held) - pieces + 1, pieces):
        assert sum(held[first : first + pieces]) == pytest.approx(pieces, rel=1e-9)
    assert all(share > 0 for share in held)


@quick
@given(fields=regimens(), missed=st.sets(st.integers(1, 20), max_size=6), person=st.integers(1, 500))
def test_missed_and_given_are_the_plan(fields, missed, person):
    plan = {name: value for name, value in fields.items() if name != "jitter"}
    whole = Arm(regimen=(RegimenLine.model_validate({**plan, "miss": "0 %"}),))
    partly = Arm(regimen=(RegimenLine.model_validate({**plan, "missed": sorted(missed)}),))
    (all_of_it,) = given_doses(whole, 24.0 * 20, "mon", 7, [person])
    (taken,), (left,) = (doses(partly, 24.0 * 20, "mon", 7, [person]) for doses in (given_doses, missed_doses))
    assert sorted(dose.time for dose in (*taken, *left)) == [dose.time for dose in all_of_it]


# --- the clock in the equations


def test_the_daily_phase_never_jumps(ask):
    """Across midnights endogenous opioid, which cos(2*pi*(t - phi)/day) drives, has neither jump nor kink."""
    times = np.concatenate([24.0 * day + np.linspace(-0.2, 0.2, 41) for day in (1, 2, 3)])
    result = ldn.simulate(ask("4 d", "[transient]", nothing=line("0 mg", '"12:00"')), times=times, rtol=1e-10)
    for curve in (result.endorphin.squeeze().values, result.endorphin_drug_free.squeeze().values):
        for day in range(3):
            across = curve[41 * day : 41 * (day + 1)]
            bend = np.diff(across, 2)
            assert np.ptp(bend) < 0.05 * np.abs(bend).max()  # no kink, let alone a jump
            np.testing.assert_allclose(across, curve[:41], rtol=1e-7)  # each midnight like the first


def test_doses_at_midnight_are_where_they_belong(ask):
    """A bolus at 00:00 of day 2 is one at t = 24 h: nothing of it before, all of it after, and it adds to day 1's."""
    dose = '{input: intravenous, dose: 1 mg, at: "00:00"%s}'
    arms = {
        "both": dose % ", until: day 2",
        "first": dose % ", until: day 1",
        "second": dose % ", from: day 2, until: day 2",
    }
    times = [0.0, 23.999, 24.0, np.nextafter(24.0, 25.0), 24.5, 30.0]
    result = ldn.simulate(ask("36 h", "[transient]", **arms), times=times, rtol=1e-9).Cp.squeeze()
    volume = 148.0  # V1, L
    jump = result.sel(arm="second").values
    assert jump[:3].tolist() == [0, 0, 0]
    assert jump[3] == pytest.approx(1e6 / 341.41 / volume, rel=1e-9)
    np.testing.assert_allclose(result.sel(arm="both"), result.sel(arm="first") + result.sel(arm="second"), rtol=1e-6)
