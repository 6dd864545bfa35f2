"""Opioid agonists and naloxone against published facts, and against what their scenarios teach.

Rows marked `fit` were used to set parameters; nothing was tuned to a `test` row.
"""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn

NALOXONE, MORPHINE = 327.37, 285.34  # g/mol
PET = {"0.07 mg": 19, "0.7 mg": 65, "7 mg": 97}  # % at 45 to 65 min after 0.001, 0.01, 0.1 mg/kg (trostheim2022, test)


def once(way: str, dose: str, at: str = "00:00", day: int = 1) -> str:
    return f'{{input: {way}, dose: {dose}, at: "{at}", from: day {day}, until: day {day}}}'


def run(
    ask, duration: str = "8 h", accounts: str = "[pet_pool]", extra: str = "sample: 1 min", changes=None, **arms: str
):
    question = ask(duration, accounts, model="ldn_opioids", extra=extra, **arms)
    return ldn.simulate(question.with_changes(changes or {}))


@pytest.fixture(scope="module")
def withdrawal():
    return ldn.summarize(ldn.simulate(ldn.load_scenario("precipitated_withdrawal")))


class TestNaloxone:
    @pytest.mark.parametrize(
        ("way", "dose", "seen"),
        [
            ("intramuscular", "0.4 mg", 1.27),  # mcdonald2018, fit
            ("intranasal", "2 mg", 2.87),  # mcdonald2018, fit
            ("intranasal", "1 mg", 1.51),  # mcdonald2018, test
            ("intranasal", "4 mg", 6.02),  # mcdonald2018, test
            ("intranasal", "1.4 mg", 2.36),  # skulberg2019, test
        ],
    )
    def test_peaks(self, ask, way, dose, seen):
        curve = run(ask, a=once(f"naloxone_{way}", dose)).C_naloxone.squeeze() * NALOXONE / 1000
        assert float(curve.max()) == pytest.approx(seen, rel=0.2)

    @pytest.mark.parametrize(
        ("way", "dose", "seen"), [("intramuscular", "0.8 mg", 3.09), ("intranasal", "1.4 mg", 2.62)]
    )
    def test_exposures(self, ask, way, dose, seen):
        """ng/mL*h (skulberg2019, test; means of 22 people with SD of 21 and 36 %)."""
        curve = run(ask, a=once(f"naloxone_{way}", dose)).C_naloxone.squeeze() * NALOXONE / 1000
        assert float(curve.integrate("time")) == pytest.approx(seen, rel=0.25)

    def occupancy(self, ask, **changes: str) -> list[float]:
        arms = {f"a{index}": once("naloxone_intravenous", dose) for index, dose in enumerate(PET)}
        seen = run(ask, "2 h", changes=changes, **arms).naloxone_occupancy.squeeze() * 100
        return [float(seen.sel(arm=arm, time=slice(45 / 60, 65 / 60)).mean()) for arm in arms]

    def test_scans_are_predicted(self, ask):
        """The constant comes from breathing, not from scans."""
        assert self.occupancy(ask) == pytest.approx(list(PET.values()), abs=5)

    def test_the_constant_of_the_dish_is_not_that_of_people(self, ask):
        low, middle, _ = self.occupancy(ask, **{"naloxone.rivals": "binding_mann2022"})
        assert low > 19 + 10
        assert middle > 65 + 10

    def test_blockade_is_short(self, ask):
        """Half-life of blockade 110 min (trostheim2022, context), against days of naltrexone."""
        held = run(ask, a=once("naloxone_intravenous", "0.7 mg")).naloxone_occupancy.squeeze()
        peak = int(np.argmax(held.values))
        halved = held[peak:].where(held[peak:] < held[peak] / 2, drop=True).time[0] - held.time[peak]
        assert float(halved) * 60 == pytest.approx(110, rel=0.2)


class TestAgonists:
    def test_morphine_exposure_and_half_life(self, ask):
        """290 +- 67 nmol/L*h and 2.2 +- 1.0 h after 10 mg into a vein (healthy volunteers, doi
        10.1046/j.1365-2125.2000.00141.x, test)."""
        curve = run(ask, "24 h", a=once("morphine_intravenous", "10 mg")).C_morphine.squeeze()
        assert float(curve.integrate("time")) == pytest.approx(290, abs=67)
        late = curve.sel(time=np.arange(4, 11), method="nearest")
        assert -np.log(2) / np.polyfit(late.time, np.log(late), 1)[0] == pytest.approx(2.2, abs=1.0)

    def test_fentanyl_leaves_plasma_fast_and_the_body_slowly(self, ask):
        """98.6 % is gone from plasma within 60 min, the last half-life is 219 min (McClain 1980, test)."""
        curve = run(ask, "24 h", a=once("fentanyl_intravenous", "0.3 mg")).C_fentanyl.squeeze()
        assert float(curve.sel(time=1, method="nearest") / curve.max()) < 0.05
        late = curve.sel(time=np.arange(6, 16), method="nearest")
        assert -60 * np.log(2) / np.polyfit(late.time, np.log(late), 1)[0] == pytest.approx(219, rel=0.5)

    def test_potency_of_fentanyl_and_morphine(self, ask):
        """0.1 mg of fentanyl does at its best at least what 10 mg of morphine do, and loses it sooner."""
        held = run(
            ask, "12 h", m=once("morphine_intravenous", "10 mg"), f=once("fentanyl_intravenous", "0.1 mg")
        ).agonist_occupancy.squeeze()
        assert float(held.sel(arm="f").max()) > float(held.sel(arm="m").max())
        left = held.sel(time=4) / held.max("time")
        assert float(left.sel(arm="f")) < 0.3 < float(left.sel(arm="m"))


class TestBlockade:
    """Labels have 50 mg block 25 mg of heroin into a vein for 24 h, 100 mg for 48 h and 150 mg for 72 h
    (fda_tablet_label, test). Morphine stands for heroin, of which it is what acts; blocked means that less than a third
    gets through."""

    @pytest.fixture
    def left(self, ask):
        def share(account: str, dose: str, days: int) -> float:
            challenge = once("morphine_intravenous", "20 mg", day=6)
            arms = {"alone": challenge, "after": f"{once('oral', dose, day=6 - days)}, {challenge}"}
            held = run(ask, "136 h", f"[{account}]", extra="", **arms).agonist_occupancy.squeeze()
            peak = held.sel(time=slice(120, 136)).max("time")
            return float(peak.sel(arm="after") / peak.sel(arm="alone"))

        return share

    @pytest.mark.parametrize("account", ["pet_pool", "pet_slow"])
    @pytest.mark.parametrize(("dose", "days"), [("50 mg", 1), ("100 mg", 2), ("150 mg", 3)])
    def test_pet_accounts_block_as_long_as_labels_say(self, left, account, dose, days):
        assert left(account, dose, days) < 1 / 3

    @pytest.mark.parametrize(("dose", "days"), [("50 mg", 1), ("100 mg", 2), ("150 mg", 3)])
    def test_the_transient_account_contradicts_labels(self, left, dose, days):
        assert left("transient", dose, days) > 2 / 3

    @pytest.mark.parametrize("account", ["pet_pool", "pet_slow"])
    def test_blockade_wears_off_within_a_week(self, left, account):
        assert left(account, "50 mg", 5) > 1 / 2


class TestRescue:
    @pytest.mark.parametrize("account", ["transient", "pet_pool", "pet_slow"])
    @pytest.mark.parametrize(
        "opioid",
        [
            once("morphine_intravenous", "10 mg"),
            '{input: fentanyl_intravenous, dose: 0.3 mg, at: "00:00", until: day 1, infuse: 8 h}',
        ],
        ids=["morphine", "fentanyl"],
    )
    def test_naloxone_lasts_half_an_hour_to_an_hour_and_a_half(self, ask, account, opioid):
        """0.4 mg into a vein, once the opioid has its hold; durations of 30 to 90 min are what reviews say (test)."""
        rescue = f"{opioid}, {once('naloxone_intravenous', '0.4 mg', '02:00')}"
        result = run(ask, "8 h", f"[{account}]", alone=opioid, rescue=rescue)
        table = ldn.summarize(result, window=(2, 8)).sel(arm="rescue").squeeze()
        assert 0.5 < float(table.agonist_occupancy_halved_hours) < 1.5
        assert float(table.agonist_occupancy_least_of_first) < 0.4
        held = result.agonist_occupancy.squeeze().sel(time=7.9, method="nearest")
        assert float(held.sel(arm="rescue") / held.sel(arm="alone")) > 0.95  # naloxone left before the opioid


class TestWithdrawal:
    @pytest.mark.parametrize("account", ["transient", "pet_pool"])
    def test_naltrexone_precipitates_it_and_stopping_brings_it_slowly(self, withdrawal, account):
        row = withdrawal.sel(account=account)
        drive, when = row.withdrawal_drive_peak, row.withdrawal_drive_hours_to_peak
        assert float(drive.sel(arm="full")) > 2 * float(drive.sel(arm="going_on"))
        assert float(drive.sel(arm="low")) > 1.2 * float(drive.sel(arm="going_on"))
        assert float(when.sel(arm="full")) < 2
        assert float(when.sel(arm="stopped")) > 5

    def test_nobody_who_takes_no_opioid_has_any(self, ask):
        result = run(ask, "4 d", extra="", a='{input: oral, dose: 50 mg, at: "08:00"}')
        assert float(abs(result.withdrawal_drive).max()) == 0
        assert float(abs(result.agonist_occupancy).max()) == 0


def test_agonists_quieten_the_loop(ask):
    result = run(
        ask, "4 d", extra="", a='{input: morphine_oral, dose: 30 mg, at: ["00:00", "06:00", "12:00", "18:00"]}'
    )
    assert float((result.endorphin / result.endorphin_drug_free).squeeze()[-1]) < 0.95


class TestOneModelBesideTheOther:
    SMALL, LARGE = ldn.load_model("ldn"), ldn.load_model("ldn_opioids")

    def test_what_both_hold_is_the_same(self):
        assert self.LARGE.accounts == self.SMALL.accounts
        for field in ("drugs", "slots", "inputs", "outputs"):
            small, large = getattr(self.SMALL, field), getattr(self.LARGE, field)
            assert {name: large[name] for name in small} == small

    @pytest.mark.parametrize("account", ["transient", "pet_pool", "pet_slow"])
    def test_without_opioids_the_numbers_are_the_same(self, ask, account):
        line = '{input: oral, dose: 4.5 mg, at: "22:00"}'
        small, large = (ldn.simulate(ask("7 d", f"[{account}]", model=m, a=line)) for m in ("ldn", "ldn_opioids"))
        for name in ("Cp", "mu_occupancy", "delta_occupancy", "kappa_occupancy", "endorphin", "opioid_tone"):
            np.testing.assert_allclose(large[name], small[name], rtol=2e-5, atol=1e-8)

    def test_liver_is_pet_pool_in_other_people(self):
        liver, pool = ldn.load_model("ldn_liver"), self.SMALL.accounts["pet_pool"].values
        for account in liver.accounts.values():
            assert {address: account.values[address] for address in pool} == pool


class TestOtherPeopleAndProducts:
    def test_exposure_in_cirrhosis(self, ask):
        """Five-fold when compensated (fda_tablet_label, fit), eight-fold when not (bertolotti1997, test)."""
        question = ask("240 h", "[]", model="ldn_liver", a=once("oral", "100 mg"))
        area = ldn.simulate(question).Cp.squeeze().integrate("time")
        assert float(area.sel(account="compensated") / area.sel(account="healthy")) == pytest.approx(5, rel=0.1)
        assert float(area.sel(account="decompensated") / area.sel(account="healthy")) == pytest.approx(8, rel=0.25)

    def test_extended_release_within_a_factor_of_two(self, ask):
        """16 mg in extended-release tablets: peak 1.4 ng/mL, 8.4 ng/mL*h (contrave_label, test). Both are predicted too
        high: plain oral data lead to expect more than this product delivers."""
        question = ask("96 h", "[pet_pool]", er=once("oral_extended", "16 mg"), plain=once("oral", "16 mg"))
        curve = ldn.simulate(question).Cp.squeeze() * 341.41 / 1000
        peak, area = curve.max("time"), curve.integrate("time")
        assert 1 < float(peak.sel(arm="er")) / 1.4 < 2
        assert 1 < float(area.sel(arm="er")) / 8.4 < 2
        assert float(peak.sel(arm="er")) < 0.6 * float(peak.sel(arm="plain"))
        assert float(area.sel(arm="er")) == pytest.approx(float(area.sel(arm="plain")), rel=0.01)
