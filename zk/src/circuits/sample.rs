//! Honest statements and witnesses for tests and benches of every backend.

use crate::accounts::{self, identity_commitment, identity_leaf};
use crate::backend::{Binding, PROOF_VERSION};
use crate::circuits::Circuit;
use crate::circuits::consensus::SLOTS_PER_EPOCH;
use crate::circuits::consensus::statement::{Ballot, Opening, Statement, Validator, Witness, validator_set_root};
use crate::circuits::transaction::STATEMENT_BYTES;
use crate::field::{CircuitField, Native};
use crate::natives::{address, bits32, digest_bytes, empty, lift, tier_seed, vote_message, vote_tag, vrf_output};
use crate::otk::OtkTree;
use crate::tags::Tag;
use crate::tree::Tree;

/// A valid transfer; different `variant`s give different statements.
pub fn transaction(variant: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(STATEMENT_BYTES);
    out.extend([1; 32]);
    out.extend([2; 32]);
    for v in [1_000_000 + variant, 21, 8] {
        out.extend(v.to_le_bytes());
    }
    out.push(1);
    out.extend(1_700_000_000_u64.to_le_bytes());
    out.extend([variant as u8; 32]);
    for v in [(5 << 32) + 77, 7, 1 << 40] {
        out.extend(u64::to_le_bytes(v));
    }
    out.push(3);
    out.extend(1_600_000_000_u64.to_le_bytes());
    out.extend([0; 32]);
    assert_eq!(out.len(), STATEMENT_BYTES);
    out
}

/// Metadata of a proof that belongs to no key.
pub fn binding(backend: u8) -> Binding {
    Binding {
        proof_version: PROOF_VERSION,
        backend,
        circuit_id: 1,
        circuit_version: 1,
        params_hash: [7; 32],
        vk_id: [9; 32],
    }
}

/// Statement and witness bytes of a registration in an identity tree that has three already, or fewer where it is so
/// small that one of them has the newcomer's slot.
pub fn identity<F: CircuitField>(depth: usize) -> (Vec<u8>, Vec<u8>) {
    let commitment = |i: u8| lift(&[i + 100; 32]);
    let [key, vrf_key, output, nonce] = [9, 10, 11, 12].map(|i| [i; 32]);
    let (addr, state_root) = (address(&key), lift(&[13; 32]));
    let slot = |addr: &Native<F>| bits32(addr) & u32::MAX >> (32 - depth);
    let others = [1, 2, 3].map(|i: u8| (address(&[i; 32]), commitment(i)));
    let others = others.iter().filter(|(other, _)| slot(other) != slot(&addr));
    let others: Vec<_> = others.map(|(other, commitment)| (*other, identity_leaf(other, commitment))).collect();
    let tree = Tree::<F>::new(depth, &empty(Tag::IdLeaf)).expect("a depth").update(&others);
    let commitment = identity_commitment(
        &addr,
        &accounts::vrf_tag(&output),
        &accounts::vrf_key(&vrf_key),
        &tree.root(),
        &state_root,
    );
    let after = tree.update(&[(addr, identity_leaf(&addr, &commitment))]);
    let mut statement = [key, vrf_key, output].concat();
    statement
        .extend([digest_bytes(&tree.root()), digest_bytes(&state_root), nonce, digest_bytes(&after.root())].concat());
    let path: Vec<u8> = tree.path(&addr).iter().flat_map(digest_bytes).collect();
    let witness = [statement.clone(), path].concat();
    (statement, witness)
}

/// An honest consensus witness: `n` validators in a circuit of `capacity`, of whom all but the last vote
/// (when there are at least four).
pub fn consensus<F: CircuitField>(n: usize, capacity: usize, witnesses: usize, reputations: usize) -> Witness<F> {
    let (epoch, index) = (3, 5);
    let slot = epoch * SLOTS_PER_EPOCH + index as u64;
    let block_hash = lift(&[9; 32]);
    let trees: Vec<OtkTree<F>> = (0..n).map(|v| OtkTree::new(&[v as u8 + 1; 32], epoch)).collect();
    let validators: Vec<Validator<F>> = trees
        .iter()
        .enumerate()
        .map(|(v, tree)| {
            let addr = address(&[v as u8 + 1; 32]);
            let weight = 70_000 + 3 * v as u64;
            Validator { addr, weight, tier: 2, otk_root: tree.root(), tier_seed: tier_seed(&addr, 40) }
        })
        .collect();
    let message = vote_message(&block_hash, slot, epoch, slot, &validator_set_root(&validators, capacity));
    let mut ballots = vec![];
    let mut openings = vec![];
    for (v, (tree, validator)) in trees.iter().zip(&validators).enumerate() {
        let votes = n < 4 || v + 1 < n;
        let keys = tree.keys(index).expect("in range");
        let (hashes, path) = (tree.public(index).expect("in range"), tree.path(index).expect("in range"));
        let mut ballot = Ballot::absent();
        let mut opening = Opening { hashes, path, ..Opening::absent() };
        if votes {
            opening.keys = [keys[0], keys[1], keys[2]];
            ballot = Ballot {
                votes: [true; 3],
                entry: true,
                tags: std::array::from_fn(|x| vote_tag(x, &keys[x], &message)),
                vrf_output: vrf_output(&keys[3], &block_hash, epoch, &validator.tier_seed),
                vrf_key: keys[3],
            };
        }
        ballots.push(ballot);
        openings.push(opening);
    }
    let list = |n: usize, salt: u8| (0..n).map(|i| lift(&[salt.wrapping_add(i as u8); 32])).collect();
    let statement = Statement {
        block_hash,
        round: slot,
        epoch,
        slot,
        validators,
        ballots,
        witness_commitments: list(witnesses, 100),
        reputation_roots: list(reputations, 50),
    };
    Witness { statement, openings }
}

/// The bytes of a consensus statement.
pub fn statement_bytes<F: CircuitField>(s: &Statement<F>) -> Vec<u8> {
    let mut out = digest_bytes(&s.block_hash).to_vec();
    for v in [s.round, s.epoch, s.slot] {
        out.extend(v.to_le_bytes());
    }
    out.extend((s.validators.len() as u16).to_le_bytes());
    for v in &s.validators {
        out.extend(digest_bytes(&v.addr));
        out.extend(v.weight.to_le_bytes());
        out.push(v.tier as u8);
        out.extend(digest_bytes(&v.otk_root));
        out.extend(digest_bytes(&v.tier_seed));
    }
    for b in &s.ballots {
        let votes = b.votes.iter().rev().fold(u8::from(b.entry), |acc, v| acc << 1 | u8::from(*v));
        out.push(votes);
        for d in b.tags.iter().chain([&b.vrf_output, &b.vrf_key]) {
            out.extend(digest_bytes(d));
        }
    }
    for list in [&s.witness_commitments, &s.reputation_roots] {
        out.extend((list.len() as u16).to_le_bytes());
        list.iter().for_each(|d| out.extend(digest_bytes(d)));
    }
    out
}

/// The bytes of a consensus witness.
pub fn witness_bytes<F: CircuitField>(w: &Witness<F>) -> Vec<u8> {
    let mut out = statement_bytes(&w.statement);
    for o in &w.openings {
        for d in o.keys.iter().chain(&o.hashes).chain(&o.path) {
            out.extend(digest_bytes(d));
        }
    }
    out
}

/// Every circuit at a size that tests prove in milliseconds. Suites that run over all circuits take them from here.
pub fn circuits() -> Vec<Circuit> {
    sized([
        (1, &[]),
        (2, &[16]),
        (3, &[4, 1, 16]),
        (4, &[4, 8, 2]),
        (5, &[8, 3, 3, 4]),
        (6, &[8, 6, 6, 3600, 300]),
        (7, &[8, 8, 4]),
    ])
}

/// Every circuit at the largest size that a scenario may ask for.
pub fn largest() -> Vec<Circuit> {
    sized([
        (1, &[]),
        (2, &[32]),
        (3, &[16, 4, 32]),
        (4, &[16, 256, 4]),
        (5, &[256, 4, 8, 16]),
        (6, &[32, 10, 32, 3600, 300]),
        (7, &[128, 256, 4]),
    ])
}

fn sized<const N: usize>(sizes: [(u8, &[u32]); N]) -> Vec<Circuit> {
    sizes.map(|(id, params)| Circuit::new(id, params).expect("a circuit")).to_vec()
}
