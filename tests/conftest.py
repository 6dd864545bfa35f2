"""What several tests share: questions written as files, on the real models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import ldnsim as ldn
from ldnsim.scenario.scenario import Scenario

Ask = Callable[..., Scenario]


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
