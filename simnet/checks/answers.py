"""nothing_unverified, for gossip: what an opponent made false on purpose is never accepted, whatever a node later does with it."""

from simnet.base.recent import Recent
from simnet.base.units import SimTime
from simnet.checks.setting import Setting
from simnet.checks.verdicts import Findings
from simnet.events import Handlers, MessagePublished, MessageValidated, OpponentActed
from simnet.scenario.opponents import EARLY, is_false, label

CHECK = "nothing_unverified"
WATCHED_MAX = 65_536
"""False messages whose answers are looked at; older ones are forgotten."""


class Answers:
    """The answers of honest nodes to false messages, by the label that only observers see."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._false: Recent[int, str] = Recent(WATCHED_MAX)
        """What each message is, by its number."""
        self._due: Recent[int, SimTime] = Recent(WATCHED_MAX)
        """Of those that come early: from when on they may be believed."""

    @property
    def handlers(self) -> Handlers:
        return {MessagePublished: self._published, OpponentActed: self._acted, MessageValidated: self._validated}

    def _published(self, e: MessagePublished) -> None:
        if e.spam is not None and is_false(e.spam):
            self._false[e.message] = e.spam

    def _acted(self, e: OpponentActed) -> None:
        if label(e.kind, e.what) in EARLY:
            self._due[e.message] = SimTime(self._setting.start_of(int(e.subject)) - self._setting.precision)

    def _validated(self, e: MessageValidated) -> None:
        what = self._false.get(e.message)
        if what is None or e.node not in self._setting.honest:
            return
        if e.message in self._due and self._clock(e) >= self._due[e.message]:
            return
        self._findings.looked_at(CHECK, "false_messages")
        if e.verdict == "accept":
            self._findings.broken(CHECK, e.at, [e.node], f"node {e.node}: accepted and passed on message {e.message}, which is {what}")

    def _clock(self, e: MessageValidated) -> SimTime:
        """What the node takes for the present: true time or its own clock, whichever is ahead."""
        return SimTime(max(e.at, self._setting.nodes[e.node].clock.now))
