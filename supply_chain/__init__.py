"""Checks of what the project is built from: pinned versions, known advisories, no mock proofs in the package."""
