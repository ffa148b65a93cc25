"""Where a job shows what it does, and how its network run is carried out."""

from typing import Literal, Protocol

from simnet.analyze.analysis import analyze_file
from simnet.analyze.report import Analysis
from simnet.base import codes
from simnet.runs.carry_out import carry_out
from simnet.runs.request import Dark, Request

Complaint = Literal["warning", "error", "interrupted"]


class JobScreen(Protocol):
    """It decides nothing."""

    def tell(self, text: str) -> None:
        """How far the job is."""

    def complain(self, kind: Complaint, text: str) -> None:
        """Something that the caller should know, however little is shown."""

    def judged(self, analysis: Analysis) -> None:
        """The consensus load's summary has been judged."""

    def run(self, request: Request, *, analyze: bool) -> int:
        """Carries the network run out, and judges it if asked to; its exit code."""


class DarkJob:
    """Shows nothing: `wrapper.json` says what went wrong."""

    def tell(self, text: str) -> None:
        """Not shown."""

    def complain(self, kind: Complaint, text: str) -> None:
        """Not shown."""

    def judged(self, analysis: Analysis) -> None:
        """Not shown."""

    def run(self, request: Request, *, analyze: bool) -> int:
        outcome = carry_out(request, Dark())
        code = outcome.exit_code
        if analyze and code == codes.HELD and not analyze_file(outcome.folder.summary).passed:
            code = codes.FAILED
        if outcome.lock is not None:
            outcome.lock.release()
        return code
