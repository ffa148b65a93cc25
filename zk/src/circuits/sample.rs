//! Honest statements and witnesses for tests and benches of every backend.

use crate::accounts::{self, identity_commitment, identity_leaf};
use crate::backend::{Binding, PROOF_VERSION};
use crate::circuits::consensus::statement::{Ballot, Opening, Statement, Validator, Witness, validator_set_root};
use crate::circuits::consensus::{PHASES, SLOTS_PER_EPOCH};
use crate::circuits::layout::Codec;
use crate::circuits::transaction::{self, Transaction};
use crate::circuits::{Circuit, identity};
use crate::field::{CircuitField, Native};
use crate::natives::{address, bits32, empty, lift, tier_seed, vote_message, vote_tag, vrf_output};
use crate::otk::OtkTree;
use crate::tags::Tag;
use crate::tree::Tree;

/// A valid transfer; different `variant`s give different statements.
pub fn transaction(variant: u64) -> Vec<u8> {
    let statement = transaction::Statement {
        from_public_key: [1; 32],
        to_public_key: [2; 32],
        amount: 1_000_000 + variant,
        fee: 21,
        nonce: 8,
        required_tier: 1,
        timestamp: 1_700_000_000,
        memo: [variant as u8; 32],
        sender: transaction::layout::Account {
            balance: (5 << 32) + 77,
            nonce: 7,
            stake: 1 << 40,
            tier: 3,
            last_decay: 1_600_000_000,
            rep: [0; 32],
        },
    };
    Codec::<Transaction>::to_bytes(&statement)
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
    let statement = identity::layout::Statement {
        public_key: key,
        vrf_public_key: vrf_key,
        vrf_output: output,
        identity_root_before: tree.root(),
        state_root,
        epoch_nonce: nonce,
        identity_root_after: after.root(),
    };
    let witness = identity::layout::Witness { statement: statement.clone(), path: tree.path(&addr) };
    (statement.to_bytes(), witness.to_bytes())
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
        let (public, path) = (tree.public(index).expect("in range"), tree.path(index).expect("in range"));
        let mut ballot = Ballot::absent();
        let mut opening = Opening { public, path, ..Opening::absent() };
        if votes {
            opening.keys = [keys[0], keys[1], keys[2]];
            ballot = Ballot {
                votes: [true; PHASES + 1],
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
