"""Imported before the native module: raises `UnfitProcessorError` where that does not run."""

from simnet.proofs.cpu import require

require()
