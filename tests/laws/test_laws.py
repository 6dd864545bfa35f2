"""What must hold for any parameters within their ranges, in every account of every model of the library."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ldnsim as ldn
from ldnsim.dosing.events import label_molar_mass
from ldnsim.dosing.limits import AMOUNT
from ldnsim.engine import reference
from ldnsim.engine.events import Event, Kind
from ldnsim.foundation.units import coherent, parse_unit
from ldnsim.library.index import LIBRARY, files_of_format
from ldnsim.model.records import Model
from ldnsim.model.system import compose, molar_mass
from ldnsim.scenario.changes import examine, setting_of

MODELS = {name: ldn.load_model(name) for name in files_of_format(LIBRARY / "models", "ldnsim-model/1")}
CASES = [(name, account) for name, model in MODELS.items() for account in model.accounts]
SHARES = ("blockade", "occupancy", "effect")
ON_MU = ("mu_occupancy", "naloxone_occupancy", "agonist_occupancy")  # of those that are drugs
DOSES = {"naltrexone": 5.0, "naltrexol": 5.0, "morphine": 10.0, "fentanyl": 0.1, "naloxone": 0.4}  # usual ones, mg
RTOL = 1e-9
few = settings(
    max_examples=4,  # of each account: the first is hypothesis' simplest one, the others are new in every run
    deadline=None,
    print_blob=True,  # what repeats a failure
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a case costs a second: shrinking one would cost minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
everywhere = pytest.mark.parametrize(("model", "account"), CASES, ids=[f"{m}-{a}" for m, a in CASES])


def kinetic(model: Model, account: str) -> list[str]:
    """Slots whose laws these are: drugs on their way, people, receptors. Loops have laws of their own."""
    parts = setting_of(model, account).parts
    amounts = [slot for slot, part in parts.items() if any(s.dimension == AMOUNT for s in part.states.values())]
    return [*amounts, *(slot for slot in ("person", "occupancy", "withdrawal") if slot in parts)]


def lines(model: Model, strength: float, more: str, first_hour: int = 1) -> str:
    """A regimen of one dose, or more, of every input, at hours of their own."""
    texts = []
    for hour, (way, product) in enumerate(model.inputs.items(), start=first_hour):
        dose = strength * DOSES[product.drug]
        texts.append(f'{{input: {way}, dose: {dose:.5g} mg, at: "{hour % 24:02d}:30"{more}}}')
    return ", ".join(texts)


@cache
def movable(name: str, account: str) -> tuple[str, ...]:
    """The parameters with a range, in the slots concerned, that move something a run can show."""
    model = MODELS[name]
    setting = setting_of(model, account)
    slots = kinetic(model, account)
    wanted = {
        address: f"{coherent(parameter.range[0]):g}"
        for address, parameter in setting.parameters.items()
        if address.split(".")[0] in slots and parameter.range is not None
    }
    base = ldn.load_scenario(LIBRARY / "scenarios" / "first_dose.yaml")
    arm = type(base.arms["once"]).model_validate({"regimen": regimen_of(model)})
    question = base.model_copy(update={"model": model, "accounts": (account,), "report": (), "arms": {"all": arm}})
    changed = question.model_copy(update={"changes": {a: str(setting.values[a]) for a in wanted}})
    idle = {fault.path[1] for fault in examine(changed)[1] if fault.path[:1] == ("changes",)}
    return tuple(address for address in wanted if address not in idle)


def regimen_of(model: Model) -> list[dict[str, str]]:
    return [{"input": way, "dose": "1 mg", "at": "01:00", "until": "day 1"} for way in model.inputs]


@st.composite
def drawn(draw: st.DrawFn) -> list[float]:
    """Where in its range each parameter is, in the order of `movable`."""
    return draw(st.lists(st.floats(0, 1), min_size=8, max_size=8))


def changes_at(name: str, account: str, places: list[float], slots: tuple[str, ...] = ()) -> dict[str, str]:
    """Values at places (0 to 1, used in turn) of the ranges that the files give, as addresses."""
    setting, changes = setting_of(MODELS[name], account), {}
    for number, address in enumerate(movable(name, account)):
        parameter = setting.parameters[address]
        if parameter.range is None or (slots and address.split(".")[0] not in slots):
            continue
        mass = molar_mass(MODELS[name], parameter.of)
        low, high = (coherent(end, mass) for end in parameter.range)
        place = (places[number % len(places)] + 0.37 * (number // len(places))) % 1
        unit = coherent(type(parameter.value)(1.0, parameter.value.unit), mass)
        changes[address] = f"{(low + place * (high - low)) / unit:.6g} {parameter.value.unit}".removesuffix(" 1")
    return changes


def of_kind(result: xr.Dataset, *kinds: str) -> list[str]:
    found = [str(n) for n, d in result.data_vars.items() if d.attrs.get("kind") in kinds and "arm" in d.dims]
    assert found, kinds  # a law about nothing would hold
    return found


@everywhere
@few
@given(places=drawn())
def test_no_dose_no_drift_and_zero_is_no_dose(ask, model, account, places):
    zero = lines(MODELS[model], 0.0, "")
    question = ask("6 d", f"[{account}]", model=model, zero=zero, nothing="")
    question = question.model_copy(update={"changes": changes_at(model, account, places)})
    result = ldn.simulate(question, rtol=RTOL)
    assert (result.status == 0).all()
    for name in of_kind(result, "concentration", *SHARES):
        assert float(abs(result[name]).max()) == 0
    np.testing.assert_allclose(result.opioid_tone, 1, rtol=1e-6)
    for name in of_kind(result, "concentration", "endogenous", *SHARES):
        np.testing.assert_allclose(result[name].sel(arm="zero"), result[name].sel(arm="nothing"), rtol=1e-7)
    endogenous = result.get("endorphin", result.opioid_tone).sel(arm="nothing").squeeze()
    days = [endogenous.sel(time=24.0 * day + np.arange(24)).values for day in range(5)]
    for day in days[1:]:
        np.testing.assert_allclose(day, days[0], rtol=1e-6)


@everywhere
@few
@given(places=drawn())
def test_mass_goes_from_dose_to_body_to_elimination(model, account, places):
    whole = MODELS[model]
    setting = setting_of(whole, account, changes_at(model, account, places))
    system = compose(whole, setting.parts)
    values = [coherent(setting.values[n], molar_mass(whole, setting.parameters[n].of)) for n in system.parameters]
    states = {f"{slot}.{n}": state for slot, part in setting.parts.items() for n, state in part.states.items()}
    body = [index for index, name in enumerate(system.states) if states[name].dimension == AMOUNT]
    targets = {target: product.drug for product in whole.inputs.values() for target in product.to}
    for drug in sorted(set(targets.values())):
        here = [target for target, other in targets.items() if other == drug]
        schedule = [Event(1.0 + n, Kind.ADD, system.states.index(target), 1e3) for n, target in enumerate(here)]
        at = np.array([0.0, 2.5, 9.0, 200.0])
        run = reference.integrate(system, np.array(values), np.asarray(system.initial), schedule, at, 1e-8)
        assert [sample[0] for sample in run.samples] == at.tolist()
        for time, state, _ in run.samples:
            so_far = 1e3 * sum(time > event.time for event in schedule)
            assert sum(state[index] for index in body) == pytest.approx(so_far, rel=1e-6, abs=1e-6)
            assert min(state[index] for index in body) >= -1e-6


@everywhere
@few
@given(places=drawn(), first=st.floats(0.1, 10), second=st.floats(0.1, 10))
def test_plasma_superposes(ask, model, account, places, first, second):
    one = lines(MODELS[model], first, ", until: day 1")
    other = lines(MODELS[model], second, ", from: day 2, until: day 2", first_hour=4)
    question = ask("72 h", f"[{account}]", model=model, one=one, other=other, both=f"{one}, {other}")
    question = question.model_copy(update={"changes": changes_at(model, account, places)})
    result = ldn.simulate(question, rtol=RTOL, times=np.arange(0, 72.5, 0.5).tolist())
    for name in of_kind(result, "concentration"):
        alone = result[name].sel(arm="one") + result[name].sel(arm="other")
        together = result[name].sel(arm="both")
        assert float(together.max()) > 0
        np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-6 * float(together.max()))


@everywhere
@few
@given(places=drawn(), strength=st.floats(0.1, 50))
def test_shares_stay_shares(ask, model, account, places, strength):
    question = ask("4 d", f"[{account}]", model=model, all=lines(MODELS[model], strength, ""))
    question = question.model_copy(update={"changes": changes_at(model, account, places)})
    result = ldn.simulate(question, rtol=RTOL)
    assert (result.status == 0).all()
    for name in of_kind(result, *SHARES):
        assert float(result[name].min()) >= -1e-9
        assert 0 < float(result[name].max()) <= 1


@everywhere
@few
@given(places=drawn(), strength=st.floats(0.1, 10))
def test_competitors_share_the_receptors(model, account, places, strength):
    """Free, held by each drug and held by endogenous opioid add up to one, at any loads."""
    whole = MODELS[model]
    setting = setting_of(whole, account, changes_at(model, account, places))
    system = compose(whole, setting.parts)
    values = [coherent(setting.values[n], molar_mass(whole, setting.parameters[n].of)) for n in system.parameters]
    schedule = []
    for hour, product in enumerate(whole.inputs.values(), start=1):
        amount = strength * DOSES[product.drug] * 1e6 / label_molar_mass(whole, product)
        schedule += [
            Event(float(hour), Kind.ADD, system.states.index(target), amount / len(product.to)) for target in product.to
        ]
    held = [name for name in ON_MU if name in system.exports]
    found = reference.solve(
        system,
        np.array([values]),
        np.array([system.initial]),
        [tuple(schedule)],
        np.arange(0, 24.0),
        ["mu_free", "u_endorphin", *held],
    )
    assert found.status[0] == 0
    free, load, *drugs = found.values[0].T
    np.testing.assert_allclose(free + load * free + sum(drugs), 1, rtol=1e-9)
    assert all(share.max() > 0 for share in drugs)


@everywhere
@few
@given(places=drawn())
def test_a_day_later_is_a_day_later(ask, model, account, places):
    times = np.arange(0, 73.0)
    early, late = (
        ldn.simulate(
            ask("4 d", f"[{account}]", model=model, a=lines(MODELS[model], 1.0, more)).model_copy(
                update={"changes": changes_at(model, account, places)}
            ),
            rtol=RTOL,
            times=(times + shift).tolist(),
        )
        for more, shift in ((", until: day 1", 0.0), (", from: day 2, until: day 2", 24.0))
    )
    for name in of_kind(early, "concentration", "endogenous", *SHARES):
        scale = float(abs(early[name]).max())
        assert scale > 0
        np.testing.assert_allclose(late[name], early[name], rtol=1e-6, atol=1e-6 * scale)


@everywhere
@few
@given(places=drawn())
def test_night_and_morning_block_alike_without_a_rhythm(ask, model, account, places):
    night, morning = (f'{{input: oral, dose: 4.5 mg, at: "{at}"}}' for at in ("22:00", "08:00"))
    question = ask("28 d", f"[{account}]", model=model, night=night, morning=morning)
    values = changes_at(model, account, places, slots=("occupancy",))
    last_day = np.linspace(648, 672, 97).tolist()
    result = ldn.simulate(question.with_changes({**values, "endorphin.a": "0"}), times=last_day)
    at_night, by_day = ldn.summarize(result).mu_occupancy_mean.values[0]
    # after 28 days the slowest pool still knows which dose came first by about one part in a thousand
    assert at_night == pytest.approx(by_day, rel=4e-3)


@everywhere
def test_milligrams_and_nanomoles_agree(ask, model, account):
    whole = MODELS[model]
    weighed, counted = [], []
    for hour, (way, product) in enumerate(whole.inputs.items()):
        mass = DOSES[product.drug]
        amount = mass * 1e6 / label_molar_mass(whole, product)
        at = f'at: "{hour:02d}:00", until: day 1'
        weighed.append(f"{{input: {way}, dose: {mass:.17g} mg, {at}}}")
        counted.append(f"{{input: {way}, dose: {amount:.17g} nmol, {at}}}")
    question = ask("2 d", f"[{account}]", model=model, mg=", ".join(weighed), nmol=", ".join(counted))
    result = ldn.simulate(question)
    for name in of_kind(result, "concentration", "endogenous", *SHARES):
        np.testing.assert_allclose(result[name].sel(arm="nmol"), result[name].sel(arm="mg"), rtol=1e-6, atol=1e-9)


def test_these_are_the_laws_of_every_model_there_is():
    assert {"ldn", "ldn_opioids", "ldn_liver"} <= MODELS.keys()
    assert all(model.accounts for model in MODELS.values())
    assert parse_unit("nmol").dimension == AMOUNT
