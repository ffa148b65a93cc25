"""The generated reference page is what the model says."""

from pathlib import Path

from simnet.scenario.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "scenario.md"


def test_the_page_is_in_step_with_the_model() -> None:
    assert PAGE.read_text() == page(), "run: python -m simnet.scenario.reference > docs/scenario.md"


def test_it_names_sections_of_both_kinds() -> None:
    text = page()
    assert "`[chain]`, *ours*" in text
    assert "`[faults.partition]`\n" in text
    assert "| `block_transactions_max` | `256` | ≥ 1, ≤ 1024 |" in text
