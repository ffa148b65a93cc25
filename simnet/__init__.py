"""simnet: a discrete-event network simulator whose validators run real zero-knowledge provers.

`simnet.run(scenario)` runs a scenario from Python, `simnet.load(folder)` reads a finished run, `simnet.plot(run, "finality")` draws it.
"""

from typing import TYPE_CHECKING, Any

from simnet.base.version import VERSION

if TYPE_CHECKING:
    from simnet.report.plots import plot
    from simnet.runs.api import run
    from simnet.runs.finished import FinishedRun, load

__version__ = VERSION
__all__ = ["FinishedRun", "load", "plot", "run"]
_PLACES = {
    "run": "simnet.runs.api",
    "load": "simnet.runs.finished",
    "FinishedRun": "simnet.runs.finished",
    "plot": "simnet.report.plots",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first asked for: the command line starts without them."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)
