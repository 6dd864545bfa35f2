"""Sliders, and the sheet that follows them."""

from __future__ import annotations

import asyncio
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from plotly.io import to_json

from ldnsim.foundation.clock import clock_text
from ldnsim.foundation.errors import Fault, LdnsimError, listed, nearest
from ldnsim.plots.style import COLOURWAY
from ldnsim.sliders.controls import SliderSpec, parameter_sliders, scenario_sliders
from ldnsim.sliders.sheet import Sheet
from ldnsim.sliders.view import View, accounts_of, code, figures, outputs_of, result_of, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr

    from ldnsim.scenario.scenario import Scenario

__all__ = ["Panel"]

PATIENCE = 0.15  # s without a move, after which the table follows the figures
WIDTH = "340px"  # of the controls


class Panel(widgets.HBox):  # type: ignore[misc]  # ipywidgets has no types
    """The controls on the left, the sheet on the right."""

    def __init__(self, scenario: Scenario, sliders: Iterable[str] = ()) -> None:
        self._scenario, self._quiet = scenario, False
        self._table_due: asyncio.TimerHandle | None = None
        parameters = parameter_sliders(scenario)
        self._first = [*scenario_sliders(scenario), *(spec for spec in parameters if spec.kind == "switch")]
        self._later = {spec.address: spec for spec in parameters if spec.kind != "switch"}
        self._controls: dict[SliderSpec, Any] = {spec: self._control(spec, spec.title) for spec in self._first}
        known = tuple(scenario.model.accounts) or accounts_of(scenario)
        self._accounts = {name: self._box(name, name in accounts_of(scenario)) for name in known}
        self._shown = outputs_of(scenario)
        self._outputs = {name: self._box(name, shown) for name, shown in self._shown.items()}
        self._span = widgets.ToggleButtons(
            options=[("last day", "day"), ("whole run", "course")], style={"button_width": "110px"}
        )
        self._span.observe(self._moved, "value")
        self._added = widgets.VBox([])
        self._more = widgets.Dropdown(options=self._addable(), layout={"width": WIDTH})
        self._more.observe(self._add_chosen, "value")
        # as wide as there is room for, and below the controls where beside them there is not enough
        self.sheet = Sheet(layout={"flex": "1 1 480px", "min_width": "0"})
        self._add(self._found(address) for address in sliders)
        self._draw()
        controls = widgets.VBox(
            self._rows(), layout={"flex": "0 0 auto", "padding": "0 18px 0 0", "overflow": "visible"}
        )
        super().__init__([controls, self.sheet], layout={"align_items": "flex-start", "flex_flow": "row wrap"})

    def _rows(self) -> list[Any]:
        """The controls from top to bottom."""
        reset = widgets.Button(description="Reset", icon="undo", layout={"width": "110px"})
        reset.on_click(lambda _: self.reset())
        rows = []
        for index, (name, arm) in enumerate(self._scenario.arms.items()):
            colour = COLOURWAY[index % len(COLOURWAY)] if len(self._scenario.arms) < 4 else "#52606d"
            rows.append(_heading(arm.title or name, colour))
            rows += [control for spec, control in self._controls.items() if spec.address.split(".")[0] == name]
        rows.append(_heading("Run"))
        rows += [self._controls[k] for k in self._controls if k.address in ("duration", "population.size")]
        rows += [_heading("Accounts"), *self._accounts.values()]
        switches = [control for spec, control in self._controls.items() if spec.kind == "switch"]
        rows += [_heading("Parameters"), *switches, self._added, self._more]
        return [*rows, _heading("Show"), self._span, *self._outputs.values(), reset]

    @property
    def view(self) -> View:
        """The current view."""
        accounts, outputs = (
            tuple(name for name, box in boxes.items() if box.value) for boxes in (self._accounts, self._outputs)
        )
        positions = {spec: _position(spec, control) for spec, control in self._controls.items()}
        return View(self._scenario, accounts, outputs, self._span.value, positions)

    def reset(self) -> None:
        """Reset all controls to their start."""
        self._quiet = True
        for spec, control in self._controls.items():
            control.value = False if spec.kind == "switch" else spec.start
        self._controls = {spec: self._controls[spec] for spec in self._first}
        self._added.children = ()
        for name, box in self._accounts.items():
            box.value = name in accounts_of(self._scenario)
        for name, box in self._outputs.items():
            box.value = self._shown[name]
        self._span.value = "day"
        self._more.options = self._addable()
        self._quiet = False
        self._draw()

    def _box(self, name: str, value: bool) -> Any:
        box = widgets.Checkbox(value=value, description=name, indent=False, layout={"width": WIDTH})
        box.observe(self._moved, "value")
        return box

    def _control(self, spec: SliderSpec, words: str) -> Any:
        """A slider or a checkbox, with `words` before it."""
        if spec.kind == "switch":
            return self._box(words, value=False)
        words = f"{words}, {spec.unit}" if spec.unit and words != "days" else words
        layout = {"description": words, "style": {"description_width": "84px"}, "layout": {"width": WIDTH}}
        if spec.kind == "clock":
            steps = sorted({*(spec.low + n * spec.step for n in range(round(spec.high / spec.step) + 1)), spec.start})
            slider = widgets.SelectionSlider(options=[(clock_text(h), h) for h in steps], value=spec.start, **layout)
        else:
            ends = {"min": spec.low, "max": spec.high, "step": spec.step, "readout_format": ".4g"}
            slider = widgets.FloatSlider(value=spec.start, **ends, **layout)
        slider.observe(self._moved, "value")
        return slider

    def _addable(self) -> list[tuple[str, SliderSpec | None]]:
        left = [(address, spec) for address, spec in self._later.items() if spec not in self._controls]
        return [("add a parameter ...", None), *left]

    def _found(self, address: str) -> SliderSpec:
        if address not in self._later:
            expected, near = f"one of: {listed(self._later)}", nearest(address, self._later)
            raise LdnsimError(Fault(f"there is no slider for {address!r} to add", (), expected, near))
        return self._later[address]

    def _add_chosen(self, change: dict[str, Any]) -> None:
        if change["new"] is not None:
            self._add([change["new"]])

    def _add(self, specs: Iterable[SliderSpec]) -> None:
        """Add sliders for parameters, at their start."""
        for spec in specs:
            if spec not in self._controls:
                self._controls[spec] = self._control(spec, "times" if spec.kind == "factor" else "value")
                words = f"<b>{escape(spec.address)}</b> <small>{escape(spec.title)}</small>"
                caption = widgets.HTML(f"<div style='line-height: 1.35; margin-top: 4px'>{words}</div>")
                self._added.children += (widgets.VBox([caption, self._controls[spec]]),)
        self._more.options = self._addable()

    def _moved(self, _: object) -> None:
        if not self._quiet:
            self._draw()

    def _draw(self) -> None:
        """Figures and code at once, the table when nothing has moved for a while.

        Each figure is sent as soon as it is made, so that the browser draws it while the next one is being made.
        """
        if self._table_due is not None:
            self._table_due.cancel()
        view = self.view
        try:
            result = result_of(view)
            for place, figure in enumerate(figures(view, result)):
                drawn = str(to_json(figure, engine="json", remove_uids=True))
                self.sheet.figures = [*self.sheet.figures[:place], drawn, *self.sheet.figures[place + 1 :]]
        except LdnsimError as caught:
            self.sheet.message = str(caught)
            return
        with self.sheet.hold_sync():
            self.sheet.figures = self.sheet.figures[: len(view.outputs)]
            self.sheet.code, self.sheet.message = code(view), ""
        try:
            self._table_due = asyncio.get_running_loop().call_later(PATIENCE, self._fill, view, result)
        except RuntimeError:  # nobody waits where no loop runs
            self._fill(view, result)

    def _fill(self, view: View, result: xr.Dataset) -> None:
        try:
            self.sheet.table = table(view, result)
        except LdnsimError as caught:
            self.sheet.message = str(caught)


def _position(spec: SliderSpec, control: Any) -> float:
    return (0.0 if control.value else 1.0) if spec.kind == "switch" else float(control.value)


def _heading(words: str, colour: str = "") -> Any:
    dot = f"<span style='color: {colour}'>●</span> " if colour else ""
    return widgets.HTML(f"<div style='font-weight: 600; margin-top: 8px'>{dot}{escape(words)}</div>")
