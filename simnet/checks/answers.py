"""nothing_unverified, for gossip: what an opponent made false on purpose is never accepted, whatever a node later does with it."""

from collections import OrderedDict

from simnet.checks.setting import Handlers, Setting
from simnet.checks.verdicts import Findings
from simnet.events import MessagePublished, MessageValidated
from simnet.scenario.opponents import EARLY, is_false

CHECK = "nothing_unverified"
WATCHED_MAX = 65_536
"""False messages whose answers are looked at; older ones are forgotten."""


class Answers:
    """The answers of honest nodes to false messages, by the label that only observers see."""

    def __init__(self, setting: Setting, findings: Findings) -> None:
        self._setting = setting
        self._findings = findings
        self._false: OrderedDict[int, str] = OrderedDict()

    @property
    def handlers(self) -> Handlers:
        return {MessagePublished: self._published, MessageValidated: self._validated}

    def _published(self, e: MessagePublished) -> None:
        if e.spam is None or not is_false(e.spam):
            return
        self._false[e.message] = e.spam
        if len(self._false) > WATCHED_MAX:
            self._false.popitem(last=False)

    def _validated(self, e: MessageValidated) -> None:
        label = self._false.get(e.message)
        # Whose own clock is wrong may take for present what is to come.
        if label is None or e.node not in self._setting.honest or (label == EARLY and self._setting.nodes[e.node].clock.error):
            return
        self._findings.looked_at(CHECK, "false_messages")
        if e.verdict == "accept":
            self._findings.broken(CHECK, e.at, [e.node], f"node {e.node}: accepted and passed on message {e.message}, which is {label}")
