"""Populations: what is drawn has the stated distribution, and a person is the same whoever else is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import ldnsim as ldn
from ldnsim.dosing.events import Occasions, events_of, schedules_of
from ldnsim.dosing.regimen import Dose
from ldnsim.engine.equations import output_function
from ldnsim.engine.events import Kind
from ldnsim.foundation.units import Quantity
from ldnsim.model.system import compose
from ldnsim.model.variability import NotTogether, Spread, drawn, mixed, mixing, normals, varied
from ldnsim.scenario.changes import resolve
from ldnsim.simulation.people import doses_of, occasions_of, parameters_of

MANY = range(1, 20_001)
NIGHT = '{input: oral, dose: 4.5 mg, at: "22:00"}'
AT_MIDNIGHT = '{input: oral, dose: 4.5 mg, at: "00:00"}'
MORNING = '{input: oral, dose: 4.5 mg, at: "08:00"}'
COVARIATES = """population:
  size: 60
  seed: 3
  covariates:
    person.weight: {normal: [75 kg, 15 kg], range: [45 kg, 130 kg]}
    person.age: {uniform: [20 year, 70 year]}
    female: {share: 80 %}
    person.creatinine: {log_normal: [1 mg/dL, 25 %]}
    person.cirrhotic: {shares: {0: 90 %, 1: 6 %, 2: 4 %}}
  correlations: [{between: [person.weight, female], value: -0.5}]
"""


def cv(values):
    return values.std() / values.mean()


@pytest.mark.parametrize(
    ("distribution", "value", "wanted"),
    [
        ("log_normal", 1.44, 0.5),
        ("logit_normal", 0.137, 0.5),
        ("logit_normal", 0.96, 0.02),
        ("normal", 12.95, 0.1),
        ("uniform", 3.0, 0.2),
    ],
)
def test_medians_and_variation_are_as_stated(distribution, value, wanted):
    found = varied(distribution, value, wanted, value, normals(1, "plasma.x", MANY))
    assert np.median(found) == pytest.approx(value, rel=0.02)
    assert cv(found) == pytest.approx(wanted, rel=0.03)
    if distribution == "logit_normal":
        assert 0 < found.min() < found.max() < 1


def test_draws_of_a_log_normal_parameter_are_those_of_the_first_version():
    found = varied("log_normal", 1.0, 0.5, 1.0, normals(1, "plasma.ka", range(1, 4)))
    np.testing.assert_allclose(found, [0.31336706285376, 3.13269878920599, 1.29251555500793], rtol=1e-12)


def test_a_share_cannot_vary_beyond_what_a_share_can():
    with pytest.raises(ldn.LdnsimError, match=r"a share with a median of 0.9 cannot have a CV of 80%"):
        varied("logit_normal", 0.9, 0.8, 0.9, np.zeros(1))


SPREADS = {
    "normal": (Spread(normal=["75 kg", "15 kg"]), 75, 15),
    "log_normal": (Spread(log_normal=["75 kg", "20 %"]), 75 * np.sqrt(1.04), 15 * np.sqrt(1.04)),
    "uniform": (Spread(uniform=["50 kg", "110 kg"]), 80, 60 / np.sqrt(12)),
    "share": (Spread(share="20 %"), 0.2, 0.4),
    "shares": (Spread(shares={"0": "50 %", "1": "25 %", "2": "25 %"}), 0.75, np.sqrt(0.6875)),
}


@pytest.mark.parametrize("name", SPREADS)
def test_covariates_are_distributed_as_stated(name):
    spread, mean, sd = SPREADS[name]
    found = drawn(spread, normals(1, "person.x", MANY), lambda quantity: quantity.value)
    assert found.mean() == pytest.approx(mean, rel=0.02)
    assert found.std() == pytest.approx(sd, rel=0.02)


def test_a_range_cuts_off_what_redrawing_would():
    spread = Spread(normal=["75 kg", "30 kg"], range=["60 kg", "120 kg"])
    found = drawn(spread, normals(1, "person.x", MANY), lambda quantity: quantity.value)
    random = np.random.default_rng(1).normal(75, 30, 400_000)
    redrawn = random[(random >= 60) & (random <= 120)]
    assert 60 <= found.min() < found.max() <= 120
    np.testing.assert_allclose(np.quantile(found, DECILES), np.quantile(redrawn, DECILES), rtol=0.02)


DECILES = np.arange(0.1, 1, 0.1)


def test_correlations_are_as_stated_and_the_first_quantity_keeps_its_draw():
    pairs = [("a", "b", 0.7), ("b", "c", -0.4)]
    found = mixed(lambda name: normals(1, name, MANY), pairs)
    assert list(found) == ["a", "b", "c"]
    assert found["a"].tolist() == normals(1, "a", MANY).tolist()
    matrix = np.corrcoef([found[name] for name in "abc"])
    np.testing.assert_allclose(matrix, [[1, 0.7, 0], [0.7, 1, -0.4], [0, -0.4, 1]], atol=0.02)
    np.testing.assert_allclose([found[name].std() for name in "abc"], 1, atol=0.02)
    assert mixed(lambda name: normals(1, name, MANY), pairs[:1])["b"].tolist() == found["b"].tolist()


def test_correlations_that_cannot_hold_together_name_a_pair():
    with pytest.raises(NotTogether) as caught:
        mixing([("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9)])
    assert set(caught.value.pair) in ({"a", "c"}, {"b", "c"})


def settled(scenario):
    resolved = resolve(scenario)
    setting = resolved.settings[0]
    return resolved, setting, compose(scenario.model, setting.parts)


def values_of(scenario, subjects):
    resolved, setting, system = settled(scenario)
    found = parameters_of(scenario.model, system, setting, resolved, subjects)
    return dict(zip(system.parameters, found.T, strict=True))


def test_any_stretch_of_subjects_has_the_same_bits(ask):
    scenario = ask("1 d", "[transient]", extra=COVARIATES, night=NIGHT)
    whole = values_of(scenario, range(1, 61))
    for stretch in (range(17, 18), range(4, 9), range(2, 61)):
        part = values_of(scenario, stretch)
        for name in whole:
            assert part[name].tobytes() == whole[name][stretch.start - 1 : stretch.stop - 1].tobytes()
    larger = values_of(scenario.with_changes({"population.size": 1000}), range(1, 61))
    assert all(larger[name].tobytes() == whole[name].tobytes() for name in whole)
    assert len(set(whole["person.weight"].tolist())) == 60
    assert set(whole["person.female"].tolist()) == {0.0, 1.0}


def test_what_is_not_drawn_is_typical(ask):
    scenario = ask("1 d", "[transient]", extra=COVARIATES, night=NIGHT)
    typical = values_of(ask("1 d", "[transient]", night=NIGHT), range(1, 2))
    found = values_of(scenario, range(1, 61))
    moved = {name for name in found if np.any(found[name] != typical[name][0])}
    drawn_here = {"person.weight", "person.age", "person.female", "person.creatinine", "person.cirrhotic"}
    assert moved == {*drawn_here, "plasma.F", "plasma.ka", "plasma.CLm"}


def test_accounts_and_arms_see_the_same_people(ask):
    together = ask("1 d", "[transient, pet_pool]", extra=COVARIATES, night=NIGHT, morning=MORNING)
    alone = ask("1 d", "[pet_pool]", extra=COVARIATES, morning=MORNING)
    times = np.arange(25.0)
    both, one = ldn.simulate(together, times=times), ldn.simulate(alone, times=times)
    assert both.weight.dims == ("subject",)
    assert both.weight.attrs == {"units": "kg", "long_name": "Body weight", "address": "person.weight"}
    assert both.weight.identical(one.weight)
    assert both.F.dims == both.ka.dims == ("subject",)  # the same in both accounts
    np.testing.assert_allclose(both.Cp.sel(account="transient"), both.Cp.sel(account="pet_pool"), rtol=1e-5)
    assert both.Cp.sel(account="pet_pool", arm="morning").values.tobytes() == one.Cp.values.tobytes()
    peak = ldn.summarize(both).Cp_Cmax.sel(account="transient", arm="morning")
    assert {"weight", "age", "F"} <= set(peak.coords)  # for a figure of exposure against weight
    heavy = peak.weight > peak.weight.median()
    assert float(peak[heavy].median()) < float(peak[~heavy].median())


# --- occasions

OCCASIONS = "population: {size: 4, seed: 2, occasion: 1 d}\n"


def test_occasions_vary_as_the_part_says_and_belong_to_the_person(ask):
    scenario = ask("400 d", "[transient]", extra=OCCASIONS, night=NIGHT, morning=MORNING)
    resolved, setting, system = settled(scenario)

    def made(subjects):
        own = parameters_of(scenario.model, system, setting, resolved, subjects)
        doses = doses_of(scenario, resolved, "morning", subjects)
        return own, occasions_of(system, setting, resolved, subjects, own, doses)

    own, found = made(range(1, 5))
    assert [system.parameters[place] for place in found.places] == ["plasma.ka", "plasma.F"]
    assert found.values.shape == (4, 400, 2)
    for index, wanted in ((0, 0.3), (1, 0.2)):
        relative = found.values[:, :, index] / own[:, [found.places[index]]]
        assert np.median(relative) == pytest.approx(1, rel=0.03)
        assert cv(relative) == pytest.approx(wanted, rel=0.1)
    assert made(range(3, 4))[1].values.tobytes() == found.values[2:3].tobytes()


def test_a_day_begins_with_its_dose(ask):
    """A dose of 22:00 is still absorbed at midnight, with the rate of its own day."""
    scenario = ask("4 d", "[transient]", extra=OCCASIONS, night=NIGHT)
    resolved, setting, system = settled(scenario)
    own = parameters_of(scenario.model, system, setting, resolved, range(1, 5))
    doses = doses_of(scenario, resolved, "night", range(1, 5))
    occasions = occasions_of(system, setting, resolved, range(1, 5), own, doses)
    events = next(iter(schedules_of(doses, scenario.model, system, own, occasions)))
    lag = own[0, system.parameters.index("plasma.tlag")]
    assert [(event.time, event.kind) for event in events] == [
        (22 + 24 * day + lag, kind) for day in range(4) for kind in (Kind.ADD, Kind.SET, Kind.SET)
    ]
    assert [event.value for event in events if event.kind == Kind.SET] == occasions.values[0].ravel().tolist()


def test_occasions_move_people_only_where_they_are_asked_for(ask):
    with_them = ldn.simulate(ask("3 d", "[transient]", extra=OCCASIONS, night=NIGHT, morning=MORNING))
    without = ldn.simulate(
        ask("3 d", "[transient]", extra="population: {size: 4, seed: 2}\n", night=NIGHT, morning=MORNING)
    )
    days = [with_them.Cp.sel(time=slice(24 * day + 8, 24 * day + 21), arm="morning").max("time") for day in range(3)]
    assert np.std([day.values for day in days], axis=0).min() > 0.01 * float(days[0].min())
    assert not np.allclose(with_them.Cp, without.Cp)
    first = slice(0, 8)
    np.testing.assert_array_equal(with_them.Cp.sel(time=first), without.Cp.sel(time=first))


# --- many schedules at once


def random_doses(rng, inputs, infuse):
    count = int(rng.integers(0, 9))
    times = np.sort(rng.choice([0.0, 5.0, 22.0, 24.5, 30.0, 46.0, 70.0], count))
    amounts = [Quantity(4.5, "mg"), Quantity(1.5, "mg"), Quantity(100.0, "nmol")]
    return tuple(
        Dose(
            float(time),
            amounts[rng.integers(3)],
            str(rng.choice(inputs)),
            float(rng.choice([0.0, 2.0])) if infuse else 0.0,
            float(rng.uniform(0.9, 1.1)),
        )
        for time in times
    )


@pytest.mark.parametrize("infuse", [False, True])
@pytest.mark.parametrize("with_occasions", [False, True])
def test_schedules_of_many_are_those_of_each_to_the_bit(ask, infuse, with_occasions):
    scenario = ask("4 d", "[transient]", night=NIGHT)
    resolved, setting, system = settled(scenario)
    rng = np.random.default_rng(5)
    people = 60
    parameters = np.tile(parameters_of(scenario.model, system, setting, resolved, range(1, 2)), (people, 1))
    for name in ("plasma.tlag", "plasma.fa"):
        parameters[::2, system.parameters.index(name)] *= rng.uniform(0.5, 1, people // 2)
    doses = [random_doses(rng, ["oral", "intravenous"], infuse) for _ in range(people)]
    doses[7] = doses[6] = doses[5]
    occasions = None
    if with_occasions:
        places = tuple(system.parameters.index(name) for name in ("plasma.ka", "plasma.fa", "plasma.tlag"))
        occasions = Occasions(24.0, places, rng.uniform(0.1, 1, (people, 4, 3)))
    found = list(schedules_of(doses, scenario.model, system, parameters, occasions))
    for person in range(people):
        values = dict(zip(system.parameters, parameters[person].tolist(), strict=True))
        own = occasions.of(person) if occasions else None
        assert found[person] == events_of(doses[person], scenario.model, system, values, own)


def test_people_alike_share_their_events(ask):
    scenario = ask("4 d", "[transient]", extra="population: {size: 50}\n", night=NIGHT)
    resolved, setting, system = settled(scenario)
    parameters = parameters_of(scenario.model, system, setting, resolved, range(1, 51))
    doses = doses_of(scenario, resolved, "night", range(1, 51))
    assert len(schedules_of(doses, scenario.model, system, parameters).time) == 4


# --- covariates in the models


def test_the_typical_person_moves_nothing(ask):
    """Each factor of the person is exactly 1, so that typical results do not depend on it."""
    scenario = ask("1 d", "[transient]", night=NIGHT)
    system = settled(scenario)[2]
    values = values_of(scenario, range(1, 2))
    parameters = [float(values[name][0]) for name in system.parameters]
    found = output_function(system, ["body_size", "years_older", "renal_function", "cirrhosis"])(
        0.0, list(system.initial), parameters
    )
    assert list(found) == [1.0, 0.0, 1.0, 0.0]


def exposure(ask, changes, arm=AT_MIDNIGHT):
    question = ask("60 d", "[transient]", extra="report: [Cp, Cm]", once=arm[:-1] + ", until: day 1}")
    table = ldn.summarize(ldn.simulate(question.with_changes(changes)), window=(0.0, 1440.0)).squeeze()
    return float(table.Cp_AUC_tau), float(table.Cm_AUC_tau)


def test_weight_age_kidneys_and_liver_move_exposure_as_stated(ask):
    plain, plain_m = exposure(ask, {})
    heavy, _ = exposure(ask, {"person.weight": "140 kg"})
    assert heavy / plain == pytest.approx(2**-0.75, rel=0.02)
    flat, _ = exposure(ask, {"person.weight": "140 kg", "plasma.rivals": "weight_dunbar2007"})
    assert flat / plain == pytest.approx(2**-0.27, rel=0.02)
    old, _ = exposure(ask, {"person.age": "90 year"})
    assert old / plain == pytest.approx(1 / (1 - 0.00077 * 50), rel=0.01)
    _, weak_m = exposure(ask, {"person.creatinine": "x 2"})
    renal = 283 * 0.06 / 39
    assert weak_m / plain_m == pytest.approx(1 / (1 - renal / 2), rel=0.02)
    woman, woman_m = exposure(ask, {"person.female": 1})
    assert woman == pytest.approx(plain, rel=1e-6)
    assert woman_m / plain_m == pytest.approx(1 / (1 - 0.15 * renal), rel=0.02)


def test_cirrhosis_raises_oral_exposure_and_leaves_clearance(ask):
    """The label: 5-fold in compensated cirrhosis. Bertolotti 1997: 1610 against 200 ng/mL*h in decompensated one,
    6-beta-naltrexol as in controls (2021 against 2467), half-lives alike."""
    healthy, healthy_m = exposure(ask, {})
    compensated, _ = exposure(ask, {"person.cirrhotic": 1})
    severe, severe_m = exposure(ask, {"person.cirrhotic": 2})
    assert compensated / healthy == pytest.approx(5, rel=0.05)
    assert 6 < severe / healthy < 8.1
    assert severe_m / healthy_m == pytest.approx(1, rel=0.1)
    vein = '{input: intravenous, dose: 1 mg, at: "00:00"}'
    assert exposure(ask, {"person.cirrhotic": 2}, vein)[0] == pytest.approx(exposure(ask, {}, vein)[0], rel=1e-6)


# --- tables

TABLE = "weight [kg],person.age [year],female,plasma.F [%]\n80,30,1,10\n60,50,0,20\n100.5,44,1,30\n"


def tabled(ask, tmp_path, text=TABLE, extra="population: {table: people.csv}\n"):
    (tmp_path / "people.csv").write_text(text)
    return ask("1 d", "[transient]", extra=extra, night=NIGHT)


def test_people_are_read_from_a_table(ask, tmp_path):
    scenario = tabled(ask, tmp_path)
    found = values_of(scenario, range(1, 4))
    assert found["person.weight"].tolist() == [80, 60, 100.5]
    assert found["person.age"].tolist() == [30 * 8766.0, 50 * 8766.0, 44 * 8766.0]
    np.testing.assert_allclose(found["plasma.F"], [0.1, 0.2, 0.3], rtol=1e-12)
    assert len(set(found["plasma.ka"].tolist())) == 3  # what the table does not hold varies as its part says
    assert values_of(scenario, range(2, 4))["person.weight"].tolist() == [60, 100.5]
    result = ldn.simulate(scenario)
    assert result.sizes["subject"] == 3
    assert result.F.values.tolist() == pytest.approx([0.1, 0.2, 0.3])


def test_the_content_of_a_table_is_part_of_the_provenance(ask, tmp_path):
    first = ldn.simulate(tabled(ask, tmp_path)).attrs["people_hash"]
    again = ldn.simulate(tabled(ask, tmp_path)).attrs["people_hash"]
    other = ldn.simulate(tabled(ask, tmp_path, TABLE.replace("100.5", "100"))).attrs["people_hash"]
    assert len(first) == 64
    assert first == again != other


BAD_TABLES = [
    ("", 1, "the file is empty"),
    ("weight [kg]\n", 1, "the table has no rows"),
    ("weight [kg],weight [kg]\n80,90\n", 1, "the column 'weight' stands here twice"),
    ("weight [kgg]\n80\n", 1, "unknown unit 'kgg'"),
    ("we ight [kg]\n80\n", 1, "'we ight [kg]' is no column"),
    ("weight [kg],female\n80,1\n90\n", 3, "1 cells"),
    ("weight [kg]\n80\nheavy\n", 3, "weight: 'heavy' is not a number"),
    ("weight [kg],female\n80,\n", 2, "female: nothing is not a number"),
    ("weight [kg]\nnan\n", 2, "weight: 'nan' is not a number"),
    ('weight [kg]\n"80\n', 2, "this is no CSV"),
]


@pytest.mark.parametrize(("text", "line", "message"), BAD_TABLES)
def test_a_faulty_table_is_told_with_its_place(ask, tmp_path, text, line, message):
    with pytest.raises(ldn.LdnsimError) as caught:
        tabled(ask, tmp_path, text)
    [fault] = caught.value.faults
    assert (fault.file, fault.line) == (str(tmp_path / "people.csv"), line)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "extra", "message"),
    [
        ("wieght [kg]\n80\n", "{table: people.csv}", "column 'wieght' names no parameter"),
        ("weight [L]\n80\n", "{table: people.csv}", "column 'weight' is in L"),
        ("weight [kg]\n-80\n", "{table: people.csv}", "column 'weight' is negative for person 1"),
        ("weight,person.weight [kg]\n8,80\n", "{table: people.csv}", "column 'person.weight' is given twice"),
        (TABLE, "{table: people.csv, size: 4}", "4 people, and 3 in people.csv"),
        (TABLE, "{table: persons.csv}", "there is no file 'persons.csv'"),
        (
            TABLE,
            "{table: people.csv, covariates: {age: {uniform: [20 year, 30 year]}}}",
            "column 'person.age' is given",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_told(ask, tmp_path, text, extra, message):
    with pytest.raises(ldn.LdnsimError) as caught:
        tabled(ask, tmp_path, text, f"population: {extra}\n")
    assert any(message in fault.message and fault.line for fault in caught.value.faults)


def test_changes_of_people_that_would_move_nothing(ask, tmp_path):
    with pytest.raises(ldn.LdnsimError, match=r"person.weight moves nothing: the population says what it is"):
        tabled(ask, tmp_path).with_changes({"person.weight": "80 kg"})
    with pytest.raises(ldn.LdnsimError, match=r"the table people.csv has 3 people"):
        tabled(ask, tmp_path).with_changes({"population.size": 2})
    with pytest.raises(ldn.LdnsimError, match=r"population.occasion cannot be changed"):
        tabled(ask, tmp_path).with_changes({"population.occasion": "2 d"})
    scenario = ask("1 d", "[transient]", extra="population: {size: 3}\n", night=NIGHT)
    with pytest.raises(ldn.LdnsimError, match=r"plasma.F: 1.2 cannot vary as a share"):
        scenario.with_changes({"plasma.F": 1.2})
