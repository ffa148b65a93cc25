"""accusations: what evidence says of a validator is true: nobody who is honest is named, and no honest node cuts off another one.

An alarm about something that did not happen (a missed vote, a missing proof) is no accusation: who was cut off gets one, too.
"""

from simnet.checks.setting import Handlers, Setting
from simnet.checks.verdicts import Findings
from simnet.events import DoubleSignFound, MisconductFound, PeerBanned

CHECK = "accusations"


class Accusations:
    """Whom the nodes hold evidence against."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings

    @property
    def handlers(self) -> Handlers:
        return {DoubleSignFound: self._found, MisconductFound: self._found, PeerBanned: self._banned}

    def _banned(self, e: PeerBanned) -> None:
        """A ban is an accusation, too. Publishers of spoiled copies earn theirs."""
        byzantine = self._setting.scenario.faults.byzantine
        spammers = () if byzantine is None else byzantine.publishers
        self._findings.looked_at(CHECK, "bans")
        if e.peer in self._setting.honest and e.node in self._setting.honest and e.peer not in spammers:
            detail = f"node {e.node} has cut off node {e.peer}, which is honest, for {e.cause}"
            self._findings.broken(CHECK, e.at, [e.node, e.peer], detail)

    def _found(self, e: DoubleSignFound | MisconductFound) -> None:
        self._findings.looked_at(CHECK, "accusations")
        if e.validator in self._setting.honest and e.node in self._setting.honest:
            detail = f"node {e.node} holds evidence of {e.what} against node {e.validator}, which is honest"
            self._findings.broken(CHECK, e.at, [e.node, e.validator], detail)
