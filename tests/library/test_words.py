"""No efficacy claim and no dose advice in anything that people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ldnsim.library.facts import claims_of_library
from ldnsim.library.index import LIBRARY

ROOT = Path(__file__).parents[2]
FORBIDDEN = re.compile(
    r"""
    \byou \s (should|must|may|can) \s (take|start|stop|skip|double|halve|increase|reduce|resume|restart)
    | \b(recommended|optimal|ideal|right|best) \s (starting \s)? (dose|dosage)
    | \bbest \s time \s (to \s take|of \s day \s to)
    | \bwe \s (recommend|advise)
    | \b(increase|double|halve|skip|change) \s your \s dose
    | \bsafe \s to \s (restart|resume|take|stop|combine)
    | \b(is|are|was|were) \s (clearly \s)? (effective|beneficial|safe) \s (for|in|against)
    | \b(cures|heals|treats|relieves|improves) \s (chronic \s)?
      (pain|fibromyalgia|crohn|fatigue|depression|symptoms|sleep|mood|inflammation|autoimmun)
    """,
    re.I | re.X,
)

DENIED = re.compile(r"\b(whether|not|nor|never|no|cannot say) [^.:;]{0,40}$", re.I)  # what is left open, or denied


def texts() -> dict[str, str]:
    """Everything written for people: models, scenarios, facts, the package's own words, the README."""
    files = [
        *sorted((LIBRARY / "models").glob("*.yaml")),
        *sorted((LIBRARY / "models" / "evidence").iterdir()),
        *sorted((LIBRARY / "scenarios").glob("*.yaml")),
        *sorted((ROOT / "ldnsim").rglob("*.py")),
        ROOT / "README.md",
    ]
    found = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files if file.is_file()}
    found["claims.csv"] = " ".join(claim.data for claim in claims_of_library())  # the claims themselves are quoted
    return found


@pytest.mark.parametrize("name", texts())
def test_no_efficacy_claim_and_no_dose_advice(name):
    flat = re.sub(r"\s+", " ", texts()[name])
    found = [match for match in FORBIDDEN.finditer(flat) if not DENIED.search(flat[: match.start()])]
    assert [match[0] for match in found] == []


@pytest.mark.parametrize(
    "sentence",
    [
        "You should take it at night.",
        "The optimal dose is 4.5 mg.",
        "The best time to take it is 22:00.",
        "We recommend 3 mg.",
        "It is safe to restart an opioid after 3 days.",
        "LDN is effective in fibromyalgia.",
        "LDN relieves chronic pain.",
        "Double your dose after a week.",
    ],
)
def test_such_words_would_be_found(sentence):
    match = FORBIDDEN.search(sentence)
    assert match
    assert not DENIED.search(sentence[: match.start()])


def test_what_is_left_open_is_no_claim():
    sentence = "It cannot say whether naltrexone is safe for a diseased liver."
    match = FORBIDDEN.search(sentence)
    assert match
    assert DENIED.search(sentence[: match.start()])
