"""The progress of a sweep: a line at the start and a bar while it runs, on a terminal or in a notebook."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ldnsim.sweeps.forecast import Forecast

__all__ = ["Bar", "Silent", "has_display"]


def has_display() -> bool:
    """Whether there is a terminal or notebook to show a bar."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


class Silent:
    """Shows nothing."""

    def first(self, seconds: float) -> None:
        pass

    def block(self) -> None:
        pass

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *caught: object) -> None:
        pass


class Bar:
    """The forecast after the first block, then a bar with people per second and the time left."""

    def __init__(self, forecast: Forecast, workers: int, done: int, whole: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._forecast, self._workers = forecast, workers
        self._console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 100)
        columns: list[Any] = [
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("blocks {task.fields[rate]}"),
            TimeRemainingColumn(elapsed_when_finished=True),
        ]
        self._progress = Progress(*columns, console=self._console, disable=not has_display())
        self._task = self._progress.add_task("sweep", total=whole, completed=done, rate="")

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *caught: object) -> None:
        self._progress.stop()

    def first(self, seconds: float) -> None:
        left = (self._forecast.blocks - 1) / self._workers
        known = replace(self._forecast, seconds=seconds * (1 + left))
        self._console.print(known.text(), markup=False, soft_wrap=True)

    def block(self) -> None:
        task = self._progress.tasks[0]
        speed = task.speed
        rate = f"{speed * self._forecast.people:,.0f} people/s" if speed else ""
        self._progress.update(self._task, advance=1, rate=rate)
