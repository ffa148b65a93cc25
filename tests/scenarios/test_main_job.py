"""The main job: the full mixed_backend_interop run on the real provers."""

from pathlib import Path

import pytest


@pytest.mark.nightly
def test_the_full_mixed_run(tmp_path: Path, record_property: pytest.RecordProperty) -> None:  # type: ignore[name-defined]
    ...
