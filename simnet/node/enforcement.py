"""Slashing at one node of a run: what its detectors and its watch find, and what is booked once a block is proven.

Every node keeps its own books (`protocol.slashing`), fed with what it saw itself. Only the engine's time tokens are
concerned: voting weights, the ledger's stakes and peers' scores stay as they are.
"""

from dataclasses import replace

from simnet.base.catalogue import BackendId
from simnet.base.units import NodeId
from simnet.events import EvidenceTaken, PenaltyBooked, SlashingSettled
from simnet.node.chain import Chain, CommittedBlock
from simnet.node.facts import Facts
from simnet.node.letters import BeatHeard, MisconductKept, Proven, Signed
from simnet.node.ports import Ports
from simnet.protocol.evidence import BrokenLock, DoubleSign
from simnet.protocol.messages import Vote
from simnet.protocol.rounds import Rounds
from simnet.protocol.slashing import Evidence, Kind, Slashing, SlashingFull, Standing


class Enforcement:
    """One node's books."""

    def __init__(self, facts: Facts, ports: Ports, chain: Chain) -> None:
        self._facts = facts
        self._ports = ports
        self._node = ports.node
        self._chain = chain
        self._rounds = Rounds()
        self._slot = -1
        self._proof_slots = facts.scenario.consensus.proof_takeover_slots
        validators = facts.genesis.validators
        self._validators = range(len(validators))
        self._postponed: list[Evidence] = []
        """What the books had no room for. The watch keeps a bounded number of pieces, and tells of each once."""
        self.books = Slashing({v.index: Standing(v.weight, v.timetoke_hours, v.tier) for v in validators})

    # --- what this node sees -------------------------------------------------------------------------

    def saw(self, letter: Signed) -> None:
        """Who spoke in a round."""
        if isinstance(letter.item, Vote):
            self._rounds.voted(letter.item)
        else:
            self._rounds.proposed(letter.item.leader, letter.item.slot)

    def heard(self, letter: BeatHeard) -> None:
        """A heartbeat's author was up in that round."""
        beat = letter.beat
        windows = self._facts.rules.windows
        self._rounds.heard(beat.validator, (beat.t - windows.origin_ms) // windows.slot_ms)

    def on_misconduct(self, letter: MisconductKept) -> None:
        """Evidence that the node's watch has checked. The engine's evidence about a block names its hash alone, that
        about votes their height."""
        found = letter.evidence
        validator, height, _ = found.offence
        if isinstance(found, DoubleSign | BrokenLock):
            evidence = Evidence(Kind.DOUBLE_SIGN, validator, f"height={height}")
        else:
            evidence = Evidence(Kind.FALSE_PROOF, validator, f"block_hash={found.block.hex()}")
        self._postponed += [] if self._bring(evidence) else [evidence]

    def on_slot(self, slot: int) -> None:
        """A slot begins: the one before is judged."""
        ended, self._slot = self._slot, slot
        self._rounds.begin(slot)
        if ended >= 0:
            self._judge(ended)

    def on_proven(self, letter: Proven) -> None:
        """Penalties are booked, rewards given or withheld, alarms end."""
        height = letter.height
        committed = self._chain.at(height)
        assert committed is not None
        alarms = len(self.books.triggers)
        header = committed.block.header
        settled = self.books.on_commit(header.proposer, verified=True)
        postponed, self._postponed = self._postponed, []
        self._postponed = [evidence for evidence in postponed if not self._bring(evidence)]
        now, backend = self._ports.now, BackendId(header.backend).label
        for p in settled.penalties:
            kind, detail = p.evidence.kind.label, p.evidence.detail
            self._ports.emit(PenaltyBooked(now, self._node, height, backend, NodeId(p.validator), p.amount, kind, detail))
        if alarms:
            withheld = sum(settled.withheld.values())
            self._ports.emit(SlashingSettled(now, self._node, height, len(settled.penalties), withheld, alarms))

    # --- judging -------------------------------------------------------------------------------------

    def _judge(self, slot: int) -> None:
        took = self._rounds.took(slot, self._chain.electorate.members, self._validators)
        if took is None:
            return
        for validator, proved in self._prover_of(slot - self._proof_slots).items():
            took[validator] = replace(took[validator], proof=proved)
        if self.books.full:
            self._ports.limit_reached("slashing_queue")
        for evidence in self.books.on_round_end(slot, took):
            self._tell(evidence)
            if evidence.kind is Kind.CENSORSHIP and "stage=proof" not in evidence.detail:
                self._witness(evidence.validator, slot)

    def _prover_of(self, slot: int) -> dict[int, bool]:
        """Who had to bring a slot's block and its consensus proof, and whether they came from it; nobody when that is open.

        A proof may take some slots, so a leader is judged only when they have passed.
        """
        if slot < 0:
            return {}
        leader = self._chain.electorate.leader(slot)
        committed = self._decided_in(slot)
        if committed is not None:
            proposer, proof = committed.block.header.proposer, committed.proof
            return {proposer: proof is not None and proof.prover == proposer}
        # A proposal that found no quorum may be anybody's fault.
        return {} if self._rounds.has_proposal(leader, slot) else {leader: False}

    def _decided_in(self, slot: int) -> CommittedBlock | None:
        for committed in reversed(self._chain.committed):
            if committed.slot <= slot:
                return committed if committed.slot == slot else None
        return None

    def _witness(self, validator: int, slot: int) -> None:
        """Votes were missed although their author was up: that is withholding, and this node is its witness."""
        first = slot - self.books.thresholds.votes + 1
        if self._rounds.was_heard(validator, first, slot):
            self._bring(Evidence(Kind.VOTE_WITHHOLDING, validator, f"round={slot}", reporter=self._node))

    def _bring(self, evidence: Evidence) -> bool:
        """Whether there was room for it in the books."""
        try:
            if self.books.on_evidence(evidence, self._slot):
                self._tell(evidence)
        except SlashingFull:
            self._ports.limit_reached("slashing_queue")
            return False
        return True

    def _tell(self, evidence: Evidence) -> None:
        kind = evidence.kind.label
        self._ports.emit(EvidenceTaken(self._ports.now, self._node, NodeId(evidence.validator), kind, evidence.detail))
