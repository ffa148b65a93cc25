//! An honest claim for tests and benches.

use crate::accounts::identity_leaf;
use crate::circuits::uptime::Size;
use crate::circuits::uptime::heartbeat::{self, signature_digest};
use crate::circuits::uptime::statement::{Heartbeat, Statement, Witness};
use crate::field::{CircuitField, Native};
use crate::natives::{address, empty, lift};
use crate::tags::Tag;
use crate::tree::{Tree, full_paths};

const PUBLIC_KEY: [u8; 32] = [5; 32];
const START: u64 = 1_700_000_000;

/// Three quarters of the heartbeats are there, in every other place of the log while it has room.
pub fn claim<F: CircuitField>(size: &Size) -> Witness<F> {
    let addr = address(&PUBLIC_KEY);
    let id_commitment = lift(&[6; 32]);
    let identities = Tree::new(size.depth, &empty(Tag::IdLeaf)).expect("a depth that the family allows");
    let identities = identities.update(&[(addr, identity_leaf(&addr, &id_commitment))]);
    let count = (size.heartbeats * 3 / 4).clamp(1, 1 << size.log_depth);
    let gap = if size.max_gap == 0 { 100 } else { u64::from(size.max_gap) };
    let beat = |i: usize| Heartbeat {
        t: START + gap * i as u64,
        head: lift(&[i as u8; 32]),
        signature_digest: signature_digest(&[i as u8; 64]),
        index: 0,
        path: vec![],
    };
    let window = gap * count as u64 + u64::from(size.min_window);
    let mut witness = Witness {
        statement: Statement {
            public_key: PUBLIC_KEY,
            node_clock: START + window + 7,
            epoch: 2,
            head_hash: lift(&[count as u8 - 1; 32]),
            window_start: START,
            window_end: START + window,
            identity_root: identities.root(),
            heartbeat_root: lift(&[0; 32]),
            threshold: (count as u16).div_ceil(2),
            count: count as u16,
        },
        id_commitment,
        id_path: identities.path(&addr),
        heartbeats: (0..count).map(beat).collect(),
    };
    publish(&mut witness, size);
    witness
}

/// Makes the log of these heartbeats, between those of others, and everything that depends on it.
pub fn publish<F: CircuitField>(w: &mut Witness<F>, size: &Size) {
    let addr = address(&w.statement.public_key);
    let stride = if 2 * w.heartbeats.len() <= 1 << size.log_depth { 2 } else { 1 };
    let others = |i: usize| lift(&[i as u8 ^ 0xFF; 32]);
    let mut leaves: Vec<Native<F>> = (0..stride * w.heartbeats.len()).map(others).collect();
    for (i, h) in w.heartbeats.iter_mut().enumerate() {
        h.index = (stride * i) as u32;
        leaves[stride * i] = heartbeat::leaf(&addr, h.t, &h.head, &h.signature_digest);
    }
    let places: Vec<usize> = w.heartbeats.iter().map(|h| h.index as usize).collect();
    let (paths, root) = full_paths(&leaves, size.log_depth, &empty(Tag::HbLeaf), &places);
    w.statement.heartbeat_root = root;
    w.heartbeats.iter_mut().zip(paths).for_each(|(h, path)| h.path = path);
}
