"""What must hold for any regimen, and for the clock in the equations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ldnsim as ldn
from ldnsim.dosing.adherence import given_doses, missed_doses
from ldnsim.dosing.regimen import Arm, RegimenLine

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


quick = settings(max_examples=60, deadline=None)


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
    result = ldn.simulate(
        ask("4 d", "[transient]", nothing='{input: oral, dose: 0 mg, at: "12:00"}'), times=times, rtol=1e-10
    )
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
