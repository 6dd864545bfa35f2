"""Data sets as people have them: columns, names, units, notes; individuals who cannot be solved."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from recording import RECORDED, V, amounts, model, records

import ldnsim as ldn
from ldnsim.foundation.errors import LdnsimError
from ldnsim.model.records import Part
from ldnsim.model.system import compose
from ldnsim.report.describe import describe_model
from ldnsim.scenario.changes import setting_of
from ldnsim.simulation.nonmem import read_table, write_table

MODELS = RECORDED.parent


def test_a_row_out_per_row_in_with_all_that_was_there():
    frame = records("C iD time Evid amt CMT DV mdv Sex\n. b 0 1 100 2 . 1 f\nx b 4 0 . . 17 0 f\n. a 2 0 . . 3 0 m")
    frame.index = [7, 5, 9]
    found = ldn.simulate_data(model(), frame, outputs=["CP"])
    pd.testing.assert_frame_equal(found[frame.columns], frame)
    assert list(found.columns) == [*frame.columns, "CP", "status"]
    assert found.attrs["notes"] == ["Columns that were not used: C, Sex."]
    assert found.attrs["units"] == {"CP": "nmol/L"}
    assert "CP" not in frame


def test_the_index_of_a_column_does_not_matter_but_its_numbers_do():
    text = "ID TIME EVID AMT CMT\n1 0 1 100 2\n1 4 0 . ."
    numbers = pd.DataFrame({"ID": [1, 1], "TIME": [0, 4], "EVID": [1, 0], "AMT": [100.0, np.nan], "CMT": [2, 2]})
    assert ldn.simulate_data(model(), numbers, outputs=["A2"], rtol=1e-9).A2.tolist() == amounts(text).A2.tolist()


@pytest.mark.parametrize("cmt", ["2", "2.0", "central", "Central", "plasma.central", "PLASMA.CENTRAL"])
def test_compartments_by_number_or_name(cmt):
    assert amounts(f"ID TIME EVID AMT CMT\n1 0 1 100 {cmt}").A2.tolist() == [100]


@pytest.mark.parametrize("name", ["CL", "cl", "plasma.CL", "Plasma.cl"])
def test_parameters_by_name(name):
    found = amounts(f"ID TIME EVID AMT CMT {name}\n1 0 1 100 2 4\n1 5 0 . . 4")
    np.testing.assert_allclose(found.A2, [100, 100 * np.exp(-1)], rtol=1e-7)
    assert found.attrs["notes"] == [f"Columns taken for parameters: {name} (plasma.CL)."]


def test_clock_times_are_hours_since_midnight():
    found = ldn.simulate_data(model(), records("ID TIME EVID AMT CMT\n1 08:00 1 100 2\n1 12:30 0 . ."), outputs=["A2"])
    np.testing.assert_allclose(found.A2, [100, 100 * np.exp(-4.5 * 1.1 / V)], rtol=1e-5)
    assert found.TIME.tolist() == ["08:00", "12:30"]


def test_an_output_that_the_data_set_has_already():
    found = ldn.simulate_data(model(), records("ID TIME EVID Cp STATUS\n1 0 0 5 6"), outputs=["CP"])
    assert list(found.columns) == ["ID", "TIME", "EVID", "Cp", "STATUS", "CP_simulated", "status_simulated"]
    assert "the output is CP_simulated" in " ".join(found.attrs["notes"])


def test_amounts_are_in_the_unit_of_the_state_and_parameters_in_their_own():
    """The model `small`: a drug of 250 g/mol, states in nmol; inputs have lag and share, and no salt is converted."""
    small = ldn.load_model(MODELS / "small.yaml")
    into = "ID TIME EVID AMT CMT\n1 0 1 1000 {}\n1 6 0 . ."
    oral, salt, vein, straight = (
        ldn.simulate_data(small, records(into.format(name)), outputs=["Cp"]).Cp.iloc[1]
        for name in ("oral", "salt", "vein", "central")
    )
    assert salt == vein == straight
    k, ka, lag, share = 0.2, 1.5, 0.5, 0.8
    assert straight == pytest.approx(1000 / 50 * np.exp(-6 * k), rel=1e-5)
    late = 6 - lag
    expected = share * 1000 / 50 * ka / (ka - k) * (np.exp(-k * late) - np.exp(-ka * late))
    assert oral == pytest.approx(expected, rel=1e-5)


def test_shares_of_an_input_divide_an_infusion_up_while_it_lasts():
    small = ldn.load_model(MODELS / "small.yaml")
    text = "ID TIME EVID AMT CMT RATE plasma.tlag plasma.ka\n1 0 1 1000 oral 100 0 0\ntimes 0:20:1"
    frame = records(text).replace({"plasma.tlag": {".": "0"}, "plasma.ka": {".": "0"}})
    found = ldn.simulate_data(small, frame, outputs=["taken_out", "Cp"])
    assert found.Cp.max() == 0  # nothing is absorbed
    frame["plasma.ka"] = "1000"
    found = ldn.simulate_data(small, frame, outputs=["Cp"])
    t = frame.TIME.astype(float)
    during, after = t.clip(upper=10), (t - 10).clip(lower=0)
    expected = 80 / 10 * (1 - np.exp(-0.2 * during)) * np.exp(-0.2 * after)
    np.testing.assert_allclose(found.Cp.iloc[2:], expected.iloc[2:], rtol=2e-3)


def test_someone_who_cannot_be_solved_leaves_the_neighbours():
    rows = "1 0 1 100 2 {0}\n1 5 0 . . {0}\n2 0 1 100 2 {1}\n2 5 0 . . {1}\n2 6 3 . . 20\n2 7 4 10 2 20\n3 0 1 100 2 20"
    head = "ID TIME EVID AMT CMT V\n"
    found = ldn.simulate_data(model(), records(head + rows.format(20, 0)), outputs=["CP"])
    sound = ldn.simulate_data(model(), records(head + rows.format(20, 20)), outputs=["CP"])
    assert found.CP.isna().tolist() == [False, False, True, True, False, False, False]
    kept = ~found.CP.isna()
    assert found.CP[kept].tolist() == sound.CP[kept].tolist()
    assert found.status.tolist()[:2] == ["solved"] * 2
    assert "not finite" in found.status[2]
    assert list(found.attrs["failed"]) == ["2"]
    assert "1 of 3 individuals could not be solved: 2." in found.attrs["notes"]


def test_alone_as_in_company_to_the_bit():
    rng = np.random.default_rng(4)
    pieces = []
    for individual in range(30):
        times = np.sort(rng.uniform(0, 80, 12)).round(2)
        evid = rng.choice([0, 0, 1, 1, 3, 4], 12)
        dosing = np.isin(evid, [1, 4])
        steady = np.where(dosing, rng.choice([0, 0, 1, 2], 12), 0)
        more = np.where(dosing, rng.integers(0, 3, 12), 0)
        rate = np.where(dosing & (rng.random(12) < 0.5), 10.0, 0.0)
        columns = {"AMT": np.where(dosing, 100.0, 0.0), "CMT": 2, "SS": steady, "RATE": rate, "ADDL": more}
        columns["II"] = np.where((more > 0) | (steady > 0), 7.0, 0.0)
        pieces.append(
            pd.DataFrame({"ID": individual, "TIME": times, "EVID": evid, **columns, "CL": rng.uniform(1, 3, 12)})
        )
    together = ldn.simulate_data(model(), pd.concat(pieces), outputs=["CP"])
    assert together.status.eq("solved").all()
    for individual, piece in enumerate(pieces):
        alone = ldn.simulate_data(model(), piece, outputs=["CP"])
        company = together.CP[together.ID.eq(individual)]
        assert alone.CP.to_numpy().tobytes() == company.to_numpy().tobytes()


class TestWithAClock:
    """Models with a rhythm: the real one, and a small one."""

    @pytest.fixture(scope="class")
    @staticmethod
    def ldn_model():
        return ldn.load_model("ldn", account="pet_pool")

    def test_a_steady_state_is_where_sixty_days_lead(self, ldn_model):
        outputs = ["Cp", "endorphin", "mu_occupancy", "opioid_tone"]
        head = "ID TIME EVID AMT CMT II ADDL SS\n"
        steady = ldn.simulate_data(
            ldn_model, records(head + "1 22 1 12000 oral 24 1 1\ntimes 23:45:1"), outputs=outputs, rtol=1e-8
        )
        late = 60 * 24
        long = ldn.simulate_data(
            ldn_model,
            records(head + f"1 22 1 12000 oral 24 80 .\ntimes {late + 23}:{late + 45}:1"),
            outputs=outputs,
            rtol=1e-8,
        )
        for name in outputs:
            np.testing.assert_allclose(steady[name].iloc[1:], long[name].iloc[1:], rtol=2e-4)
        assert steady.attrs["notes"] == []

    def test_an_interval_that_meets_the_clock_after_three_doses(self, ldn_model):
        """Every 16 h: three doses in two days."""
        head = "ID TIME EVID AMT CMT II ADDL SS\n"
        steady = ldn.simulate_data(
            ldn_model, records(head + "1 8 1 12000 oral 16 6 1\ntimes 9:100:1"), outputs=["endorphin"]
        )
        now, later = steady.endorphin[1:44].to_numpy(), steady.endorphin[49:92].to_numpy()
        np.testing.assert_allclose(later, now, rtol=1e-5)
        assert np.abs(steady.endorphin[17:40].to_numpy() / steady.endorphin[1:24].to_numpy() - 1).max() > 0.01

    def test_an_interval_that_never_meets_the_clock(self, ldn_model):
        text = "ID TIME EVID AMT CMT II SS\n1 8 1 12000 oral 7.123456 1"
        with pytest.raises(LdnsimError, match=r"row 1\.II: an interval of 7\.12346 h has no steady state"):
            ldn.simulate_data(ldn_model, records(text), outputs=["Cp"])

    def test_a_reset_goes_back_to_the_rhythm(self, ldn_model):
        text = "ID TIME EVID AMT CMT\n1 8 1 12000 oral\ntimes 9:12:1\n1 13 3 . .\ntimes 14:30:1"
        found = ldn.simulate_data(ldn_model, records(text), outputs=["endorphin", "opioid_tone", "Cp"])
        np.testing.assert_allclose(found.opioid_tone[5:], 1, rtol=1e-5)
        assert np.abs(found.opioid_tone[1:5] - 1).max() > 0.1
        free = ldn.simulate_data(ldn_model, records("ID TIME EVID\ntimes 14:30:1"), outputs=["endorphin"])
        np.testing.assert_allclose(found.endorphin[6:], free.endorphin, rtol=1e-6)

    def test_a_second_steady_state_on_top_adds_no_second_rhythm(self, ldn_model):
        """SS 2 of next to nothing leaves the body's own opioid as it is."""
        text = "ID TIME EVID AMT CMT II SS\n1 9 0 . . . .\n1 10 1 1e-9 oral 24 2\ntimes 11:20:1\n1 21 1 12000 oral . ."
        found = ldn.simulate_data(ldn_model, records(text), outputs=["endorphin", "opioid_tone"])
        np.testing.assert_allclose(found.opioid_tone[:-1], 1, rtol=1e-5)


def test_what_never_settles_is_said():
    text = "ID TIME EVID AMT CMT II SS CL\n1 0 1 100 2 12 1 0\n2 0 1 100 2 12 1 1.1"
    found = ldn.simulate_data(model(), records(text), outputs=["A2"])
    assert found.status.tolist() == ["solved", "solved"]
    [note] = [note for note in found.attrs["notes"] if "settled" in note]
    assert note.startswith("plasma.central has not settled in 1 of 2: each cycle adds to it without end")
    alone = amounts("ID TIME EVID AMT CMT II SS\n2 0 1 100 2 12 1")
    assert found.A2.tolist()[0] == 100
    assert found.A2.tolist()[1] == pytest.approx(alone.A2[0], rel=1e-5)


def test_files_go_through_as_they_are(tmp_path):
    file = tmp_path / "data.csv"
    file.write_bytes("\ufeffID,TIME,EVID,AMT,CMT,note\n01,0.10,1,1e2,central,a b\n01,4,0,.,,\n".encode())
    frame = read_table(file)
    found = ldn.simulate_data(model(), frame, outputs=["A2"])
    write_table(tmp_path / "out.csv", found)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "ID,TIME,EVID,AMT,CMT,note,A2,status"
    assert lines[1] == "01,0.10,1,1e2,central,a b,100.0,solved"
    assert lines[2].startswith("01,4,0,.,,,")
    assert float(lines[2].split(",")[6]) == found.A2[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "out.csv"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"ID,TIME\n1,2,3,4\n", "4 cells"),
        (b"ID,TIME,EVID\n1,2\n", "2 cells"),
        (b"ID,TIME,EVID\n\xff\xfe,2,0\n", "UTF-8"),
    ],
)
def test_files_that_are_no_tables(tmp_path, content, said):
    file = tmp_path / "data.csv"
    file.write_bytes(content)
    with pytest.raises(LdnsimError, match=said) as caught:
        read_table(file)
    assert "data.csv" in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(LdnsimError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(LdnsimError, match="this is a folder"):
        read_table(tmp_path)
    with pytest.raises(LdnsimError, match="cannot be written"):
        write_table(tmp_path / "no" / "such.csv", pd.DataFrame({"ID": [1]}))


def test_describe_says_what_cmt_may_be_and_what_doses_meet():
    text = describe_model(model(), {})
    assert "- `recorded`: 1 `plasma.depot`, 2 `plasma.central`" in text
    met = "lag `LAGT`, bioavailability `BIOAV`, rate `RAT2`, duration `DUR2`"
    assert f"Delivery parameters of doses into `central`: {met}." in text
    structures = describe_model(ldn.load_model("ldn"), {})
    assert all(f"`{name}`" in structures for name in ("transient", "pet_pool"))
    first = compose(ldn.load_model("ldn"), setting_of(ldn.load_model("ldn"), "transient").parts).states[0]
    assert f"`: 1 `{first}`, 2 `" in structures
    schema = Part.model_json_schema()["$defs"]["State"]["properties"]
    assert {"lag", "bioavailability", "rate", "duration"} <= set(schema)


def test_a_product_of_slow_release_takes_its_time_whether_rate_says_so_or_not():
    """Extended release: by itself, by RATE -2, and where a record says another rate."""
    whole = ldn.load_model("ldn", account="pet_pool")
    head = "ID TIME EVID AMT CMT RATE plasma.t_release\n"

    def courses(*rows: str) -> list[list[float]]:
        looks = "\ntimes 1:30:1"
        answers = [ldn.simulate_data(whole, records(head + row + looks), outputs=["Cp"]) for row in rows]
        return [answer.Cp.tolist() for answer in answers]

    slow, said, other, quick = courses(
        "1 0 1 12000 oral_extended . .",
        "1 0 1 12000 oral_extended -2 .",
        "1 0 1 12000 oral_extended 1000 .",
        "1 0 1 12000 oral . .",
    )
    assert slow == said
    assert max(slow) < max(quick) / 2
    assert slow != other
    at_once, plain = courses("1 0 1 12000 oral_extended . 0\n1 0.5 0 . . . 0", "1 0 1 12000 oral . 0\n1 0.5 0 . . . 0")
    assert at_once[:2] == plain[:2]


def test_doses_too_small_for_any_mechanism_have_concentrations_only():
    """As in a scenario: the model holds nothing of what micrograms are said to do."""
    whole = ldn.load_model("ldn", account="pet_pool")
    text = "ID TIME EVID AMT CMT\n1 0 1 1 oral\n1 3 0 . .\n2 0 1 12000 oral\n2 3 0 . ."
    found = ldn.simulate_data(whole, records(text), outputs=["Cp", "mu_occupancy"])
    assert found.mu_occupancy.isna().tolist() == [True, True, False, False]
    assert found.Cp.notna().all()
    [note] = [note for note in found.attrs["notes"] if "no mechanism" in note]
    assert "of individuals 1:" in note
