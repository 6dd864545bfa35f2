"""What several tests share: questions written as files, on the real models. A test file without a test is an error."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

import ldnsim as ldn
from ldnsim.scenario.scenario import Scenario

Ask = Callable[..., Scenario]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A test file in which nothing is collected, such as an empty one, fails the run (also in workers of xdist)."""
    report = yield
    if type(collector) is pytest.Module and report.outcome == "passed" and not report.result:
        report.outcome = "failed"
        report.longrepr = f"{collector.path}: no test was found in this file"
    return report


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """ask(arm="regimen line", ..., duration=..., accounts=..., extra=...) -> a Scenario read from a file."""

    def make(
        duration: str = "28 d", accounts: str = "[]", model: str = "ldn", extra: str = "", **arms: str
    ) -> Scenario:
        file = tmp_path / "question.yaml"
        lines = "\n".join(f"  {name}: {{regimen: [{line}]}}" for name, line in arms.items())
        file.write_text(
            f"format: ldnsim-scenario/1\nname: question\nquestion: a test\nmodel: {model}\naccounts: {accounts}\n"
            f"duration: {duration}\narms:\n{lines}\n{extra}\n"
        )
        return ldn.load_scenario(file)

    return make
