"""accusations: what evidence says of a validator is true: nobody who is honest is named, and no honest node takes points from
another one or cuts it off.

An alarm about something that did not happen (a missed vote, a missing proof) is no accusation: who was cut off gets one, too.
"""

from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import DoubleSignFound, Handlers, MisconductFound, PeerBanned, PeerScored

CHECK = "accusations"


class Accusations:
    """Whom the nodes hold evidence against."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings

    @property
    def handlers(self) -> Handlers:
        return {DoubleSignFound: self._found, MisconductFound: self._found, PeerScored: self._scored, PeerBanned: self._banned}

    def _scored(self, e: PeerScored) -> None:
        self._judge("points", e, f"has taken points from node {e.peer}, which is honest, for {e.cause}")

    def _banned(self, e: PeerBanned) -> None:
        self._judge("bans", e, f"has cut off node {e.peer}, which is honest, for {e.cause}")

    def _judge(self, what: str, e: PeerScored | PeerBanned, detail: str) -> None:
        self._findings.looked_at(CHECK, what)
        if e.node in self._setting.honest and e.peer in self._setting.blameless:
            self._findings.broken(CHECK, e.at, [e.node, e.peer], f"node {e.node} {detail}")

    def _found(self, e: DoubleSignFound | MisconductFound) -> None:
        self._findings.looked_at(CHECK, "accusations")
        if e.validator in self._setting.honest and e.node in self._setting.honest:
            detail = f"node {e.node} holds evidence of {e.what} against node {e.validator}, which is honest"
            self._findings.broken(CHECK, e.at, [e.node, e.validator], detail)
