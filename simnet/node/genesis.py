"""What a run starts from: circuits at their sizes, the chain's rules, validators, wallets and the first state."""

import hashlib
from collections.abc import Sequence
from functools import partial

from simnet.base import rng
from simnet.base.catalogue import BackendId, CircuitId
from simnet.base.together import together
from simnet.base.units import to_ms
from simnet.net.faults import SETTLE
from simnet.node.facts import Circuits, Genesis
from simnet.node.keyring import Keyring
from simnet.proofs.backend import Circuit
from simnet.proofs.field import field_of
from simnet.protocol.heartbeats import CLAIMS_MAX, UptimeState, Windows
from simnet.protocol.joins import JOINS_MAX
from simnet.protocol.ledger import Ledger
from simnet.protocol.roots import DEPTH, TRANSFERS_PER_STATE_PROOF, genesis_state
from simnet.protocol.state import ChainState, Rules
from simnet.protocol.transfer import Account
from simnet.protocol.validators import Electorate, Registry, Validator, ValidatorSet
from simnet.scenario.model import Scenario
from simnet.scenario.ours import HEARTBEATS_MAX

LOG_DEPTH_MIN = 10
"""The heartbeat log of up to 32 nodes."""
PRUNING_SEGMENTS_MAX = 4


def make_circuits(scenario: Scenario) -> Circuits:
    """The circuits at the scenario's sizes."""
    consensus, block, windows = scenario.consensus, scenario.block_capacity, make_windows(scenario)
    params = (scenario.validator_capacity, consensus.witness_capacity, consensus.reputation_capacity)
    window = scenario.chain.pruning_window_blocks
    log_depth = max(LOG_DEPTH_MIN, (scenario.topology.n * HEARTBEATS_MAX - 1).bit_length())
    return Circuits(
        transaction=Circuit(CircuitId.TRANSACTION, ()),
        consensus=Circuit(CircuitId.CONSENSUS, params),
        identity=Circuit(CircuitId.IDENTITY, (DEPTH,)),
        state=Circuit(CircuitId.STATE, (TRANSFERS_PER_STATE_PROOF, JOINS_MAX, DEPTH)),
        pruning=Circuit(CircuitId.PRUNING, (window, block, min(window, PRUNING_SEGMENTS_MAX))),
        recursive=Circuit(CircuitId.RECURSIVE, (block, JOINS_MAX, CLAIMS_MAX, TRANSFERS_PER_STATE_PROOF)),
        uptime=Circuit(CircuitId.UPTIME, (HEARTBEATS_MAX, log_depth, DEPTH, windows.length_ms, 0)),
    )


def make_windows(scenario: Scenario) -> Windows:
    """How the run's time is cut into uptime windows."""
    chain = scenario.chain
    return Windows(round(to_ms(SETTLE)), chain.slot_ms, chain.uptime_window_slots, chain.heartbeats_per_window, chain.heartbeats_min)


def make_rules(scenario: Scenario) -> Rules:
    """What the scenario fixes for all blocks."""
    fields = tuple(BackendId[b.upper()] for b in scenario.block_proof_backends)
    proves = scenario.proves
    return Rules(make_windows(scenario), scenario.block_capacity, fields, proves("identity"), proves("uptime"))


def make_genesis(scenario: Scenario, seed: int, keyrings: Sequence[Keyring]) -> Genesis:
    """Validators, wallets with funded lanes, and everybody's registrations for the first epochs."""
    chain_id = hashlib.blake2s(f"SIMNET-CHAIN-V1/{scenario.name}/{seed}".encode()).digest()
    validators = make_validators(scenario, seed, keyrings)
    wallets, state = make_accounts(scenario, keyrings)
    horizon = range(scenario.consensus.key_horizon_epochs)
    registrations = [keyring.registration(chain_id, epoch) for epoch in horizon for keyring in keyrings]
    lanes = tuple(tuple(wallet) for wallet in wallets)
    numbers = {key: number for wallet in wallets for key, number in wallet.items()}
    electorate = Electorate(ValidatorSet.of(validators), Registry({}).with_new(registrations))
    return Genesis(chain_id, validators, lanes, state, electorate, numbers)


def make_validators(scenario: Scenario, seed: int, keyrings: Sequence[Keyring]) -> tuple[Validator, ...]:
    """One validator per node, with stake drawn uniformly from the scenario's range."""
    random = rng.generator(seed, "stake")
    low, high = scenario.consensus.weight_min, scenario.consensus.weight_max
    return tuple(
        Validator(
            index=keyring.node,
            key=keyring.key,
            vrf_key=keyring.vrf_key,
            weight=int(random.integers(low, high, endpoint=True)),
            tier=1 + int(random.integers(5)),
            timetoke_hours=int(random.integers(721)),
        )
        for keyring in keyrings
    )


def make_accounts(scenario: Scenario, keyrings: Sequence[Keyring]) -> tuple[list[dict[bytes, int]], ChainState]:
    """Each wallet's lanes (public key -> number), and the chain's first state.

    A slot of an account tree is 32 bits of a hash, so among some ten thousand lanes two may want the same one (a
    chance of about one in a hundred for six thousand). Such a lane is left out and the wallet's next number taken.
    """
    per_wallet = scenario.chain.lanes_per_wallet
    wallets = [_lanes(keyring, range(per_wallet)) for keyring in keyrings]
    start = Account(balance=scenario.chain.lane_balance, tier=max(1, scenario.chain.required_tier))
    backends = [b for b in BackendId if b.label in used_backends(scenario)] if scenario.block_proof_backends else []
    while True:
        accounts = {key: start for wallet in wallets for key in wallet}
        made = together(partial(genesis_state, field_of(b), accounts) for b in backends)
        lost = {key for _, crowded in made for key in crowded}
        if not lost:
            return wallets, ChainState(Ledger(accounts), tuple(state for state, _ in made), UptimeState(), {})
        for keyring, wallet in zip(keyrings, wallets, strict=True):
            gone = [key for key in wallet if key in lost]
            first = max(wallet.values()) + 1
            wallet |= _lanes(keyring, range(first, first + len(gone)))
            for key in gone:
                del wallet[key]


def _lanes(keyring: Keyring, numbers: range) -> dict[bytes, int]:
    return {keyring.lane_key(number): number for number in numbers}


def used_backends(scenario: Scenario) -> set[str]:
    """Names of the backends that some node has."""
    return {label for labels in scenario.backends_of_node for label in labels}
