"""Sliders: what they move, what is seen then, and that the code of a view gives the view again."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

import ldnsim as ldn
from ldnsim import sliders
from ldnsim.foundation.errors import LdnsimError
from ldnsim.sliders.controls import SliderSpec, parameter_sliders, scenario_sliders
from ldnsim.sliders.panel import Panel
from ldnsim.sliders.view import View, accounts_of, code, figures, moved, outputs_of, result_of, table


@pytest.fixture(scope="module")
def scenario():
    return ldn.load_scenario("night_vs_morning").with_changes({"duration": "4 d"})


@pytest.fixture(scope="module")
def specs(scenario) -> dict[tuple[str, str], SliderSpec]:
    return {(spec.address, spec.kind): spec for spec in [*scenario_sliders(scenario), *parameter_sliders(scenario)]}


def view_of(scenario, positions=None, **what) -> View:
    chosen = {"accounts": accounts_of(scenario), "outputs": ("opioid_tone", "mu_occupancy"), **what}
    return View(scenario, **chosen, positions=positions or {})


def test_every_knob_fits_the_scenario_at_both_ends(scenario, specs):
    assert {"night.dose", "night.at", "morning.dose", "morning.at", "duration"} <= {address for address, _ in specs}
    for spec in specs.values():
        assert spec.low <= spec.start <= spec.high
        for position in (spec.low, spec.high):
            moved(view_of(scenario, {spec: position}))
    assert moved(view_of(scenario, {spec: spec.start for spec in specs.values()})) == scenario


def test_knobs_have_the_range_and_unit_of_the_page(specs):
    clearance = specs["plasma.CL", "amount"]
    assert (clearance.low, clearance.start, clearance.high, clearance.unit) == (94, 150, 211, "L/h")
    assert specs["night.at", "clock"].change(5.75) == "05:45"
    assert specs["night.dose", "amount"].change(3.0) == "3 mg"


def test_a_value_that_differs_between_accounts_is_moved_as_a_factor(scenario, specs):
    assert ("endorphin.g", "amount") not in specs
    doubled = moved(view_of(scenario, {specs["endorphin.g", "factor"]: 2.0}))
    assert doubled.changes["endorphin.g"] == "x 2"
    alone = scenario.model_copy(update={"accounts": ("transient",)})
    own = {(spec.address, spec.kind): spec for spec in parameter_sliders(alone)}
    assert own["endorphin.g", "amount"].start == 0.2


def test_what_moves_nothing_has_no_knob(scenario, specs):
    with_delta = scenario.model_copy(update={"report": ("delta_occupancy",)})
    assert "occupancy.ratio_delta" not in {address for address, _ in specs}
    assert "occupancy.ratio_delta" in {spec.address for spec in parameter_sliders(with_delta)}


def test_the_rhythm_can_be_switched_off(scenario, specs):
    view = view_of(scenario, {specs["endorphin.a", "switch"]: 0.0, specs["endorphin.a", "factor"]: 2.0})
    assert moved(view).changes["endorphin.a"] == 0
    flat = result_of(view)["endorphin_drug_free"].sel(account="transient").values
    assert np.ptp(flat) < 1e-6 < np.ptp(result_of(view_of(scenario))["endorphin_drug_free"].values)


@pytest.mark.parametrize("span", ["day", "course"])
def test_the_code_of_a_view_gives_the_same_numbers(scenario, specs, span, monkeypatch):
    positions = {specs["night.dose", "amount"]: 3.0, specs["morning.at", "clock"]: 9.5}
    view = view_of(scenario, positions, accounts=("transient", "pet_slow"), span=span)
    shown: list[go.Figure] = []

    def keep(figure: go.Figure) -> None:
        shown.append(figure)

    monkeypatch.setattr(go.Figure, "show", keep)
    space: dict[str, object] = {}
    exec(code(view), space)
    result = result_of(view)
    for ours, theirs in zip(figures(view, result), shown, strict=True):
        assert ours.layout.title.text == theirs.layout.title.text
        for mine, other in zip(ours.data, theirs.data, strict=True):
            assert mine.name == other.name
            np.testing.assert_allclose(np.asarray(mine.y, float), np.asarray(other.y, float), rtol=1e-5, atol=1e-6)
    metrics = ldn.summarize(result)
    for name in ("opioid_tone_mean", "opioid_tone_rebound_peak", "mu_occupancy_unblocked_hours"):
        np.testing.assert_allclose(metrics[name], space["table"][name], rtol=1e-4, atol=1e-6)


def test_the_code_is_short_and_names_only_what_was_moved(scenario, specs):
    plain = ldn.load_scenario("night_vs_morning")
    assert "with_changes" not in code(view_of(plain))
    assert '"night.dose": "3 mg"' in code(view_of(scenario, {specs["night.dose", "amount"]: 3.0}))
    assert "accounts" not in code(view_of(plain))


def test_the_table_is_of_the_outputs_shown(scenario):
    html = table(view_of(scenario, outputs=("opioid_tone",)), result_of(view_of(scenario)))
    assert "Opioid tone" in html
    assert "mu occupancy" not in html
    assert "rebound peak" in html


def test_a_single_early_dose_keeps_its_exposure():
    once = ldn.load_scenario("first_dose").with_changes({"duration": "96 h"})
    view = view_of(once, outputs=("Cp",))
    whole, part = ldn.simulate(moved(view)), result_of(view)
    for metric in ("Cp_AUC_inf", "Cp_t_half"):
        np.testing.assert_allclose(ldn.summarize(part)[metric], ldn.summarize(whole)[metric], rtol=1e-4)


def test_a_panel_follows_its_controls(scenario):
    panel = ldn.explore(scenario, sliders=["occupancy.EC50"])
    assert isinstance(panel, Panel)
    before = list(panel.sheet.figures)
    assert len(before) == sum(outputs_of(scenario).values()) == 2
    assert "opioid_tone" in panel.sheet.code
    slider(panel, "occupancy.EC50").value = 2.0
    assert all(new != old for new, old in zip(panel.sheet.figures, before, strict=True))
    assert '"occupancy.EC50": "x 2"' in panel.sheet.code
    figures_then, table_then = list(panel.sheet.figures), panel.sheet.table
    slider(panel, "night.at").value = 20.0
    assert panel.sheet.figures != figures_then
    assert panel.sheet.table != table_then
    panel.reset()
    assert panel.sheet.figures == before
    assert "with_changes" in panel.sheet.code  # the four days are the scenario's own change
    assert "EC50" not in panel.sheet.code


def test_a_fault_is_said_and_the_figures_stay(scenario):
    panel = ldn.explore(scenario.model_copy(update={"window": ldn.load_scenario("first_dose").window}))
    before = list(panel.sheet.figures)
    slider(panel, "duration").value = 2.0  # the window reaches to 72 h
    assert "window" in panel.sheet.message
    assert panel.sheet.figures == before
    slider(panel, "duration").value = 5.0
    assert panel.sheet.message == ""
    for box in panel._accounts.values():
        box.value = False
    assert "No account is chosen" in panel.sheet.message


def test_a_parameter_can_be_added(scenario):
    panel = ldn.explore(scenario)
    choice = dict(panel._more.options)["plasma.CL"]
    panel._more.value = choice
    assert "plasma.CL" not in dict(panel._more.options)
    slider(panel, "plasma.CL").value = 200.0
    assert '"plasma.CL": "200 L/h"' in panel.sheet.code
    panel.reset()
    assert "plasma.CL" in dict(panel._more.options)


def test_a_slider_that_names_nothing(scenario):
    with pytest.raises(LdnsimError, match=r"did you mean 'occupancy\.EC50'"):
        ldn.explore(scenario, sliders=["occupancy.EC5"])


def test_without_the_packages_it_says_what_to_install(scenario, monkeypatch):
    monkeypatch.setattr(sliders, "find_spec", lambda name: None)
    with pytest.raises(LdnsimError, match=r"ldnsim\[notebook\]"):
        ldn.explore(scenario)


def slider(panel: Panel, address: str):
    return next(control for spec, control in panel._controls.items() if spec.address == address)
