//! An honest block for tests and benches: vectors that fit together, of proofs that nobody made.

use crate::accounts::{chain, identity_link, transfer_link};
use crate::circuits::layout::offset;
use crate::circuits::public::Kind;
use crate::circuits::recursive::Size;
use crate::circuits::recursive::statement::{CIRCUITS, GLOBAL_STATE, Header, Previous, ROOTS, Slots, Statement, ZSI};
use crate::circuits::recursive::vectors::{DECISION, IDENTITY, Inner, PRUNING, STATE, TRANSACTION, UPTIME, input};
use crate::circuits::transaction::Transfer;
use crate::circuits::{sample, state};
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, lift};

const HEIGHT: u64 = 41;
const TIMESTAMP: u64 = 1_700_000_000;

fn digest<F: CircuitField>(what: u8, i: usize) -> Native<F> {
    let mut bytes = [what; 32];
    bytes[..2].copy_from_slice(&(i as u16).to_le_bytes());
    lift(&bytes)
}

/// A vector of the right types.
fn vector<F: CircuitField>(inner: &Inner, i: usize) -> Vec<F> {
    let add = |e: Elements<F>, (place, kind): (usize, &Kind)| match kind {
        Kind::Digest => e.digest(&digest(inner.id, 100 * i + place)),
        Kind::U32 => e.u32(place as u32),
        Kind::U64 => e.u64(place as u64),
        Kind::Small(_) => e.small(place as u16),
    };
    inner.kinds().iter().enumerate().fold(Elements::new(), add).0
}

/// Replaces one input of a vector.
pub fn set<F: CircuitField>(inner: &Inner, vector: &mut [F], input: usize, value: Elements<F>) {
    let start = offset::<F>(inner.inputs, input);
    vector[start..][..value.0.len()].copy_from_slice(&value.0);
}

fn identities<F: CircuitField>(n: usize, state_root: &Native<F>, zsi: &Native<F>) -> Vec<Vec<F>> {
    let mut before = *zsi;
    let identity = |i: usize| {
        let mut v = vector(&IDENTITY, i);
        set(&IDENTITY, &mut v, input::IDENTITY_ROOT_BEFORE, Elements::new().digest(&before));
        set(&IDENTITY, &mut v, input::IDENTITY_STATE_ROOT, Elements::new().digest(state_root));
        before = IDENTITY.digest(&v, input::IDENTITY_ROOT_AFTER);
        v
    };
    (0..n).map(identity).collect()
}

/// The state proofs over the chunks of some transactions.
fn states<F: CircuitField>(
    size: &Size,
    transactions: &[Vec<F>],
    identities: &[Vec<F>],
    root: &Native<F>,
) -> Vec<Vec<F>> {
    let link = |v: &Vec<F>| {
        let [m, old, new] =
            [input::TX_DIGEST, input::TX_LEAF_OLD, input::TX_LEAF_NEW].map(|x| TRANSACTION.digest(v, x));
        transfer_link(&m, &old, &new)
    };
    let id_link = |v: &Vec<F>| {
        identity_link(&IDENTITY.digest(v, input::IDENTITY_ADDR), &IDENTITY.digest(v, input::IDENTITY_COMMITMENT))
    };
    let mut before = *root;
    let state = |j: usize| {
        let chunk = transactions.chunks(size.chunk).nth(j).unwrap_or(&[]);
        let identities = if j == 0 { identities } else { &[] };
        let after = digest(200, j);
        let public = state::statement::Public {
            prev_root: before,
            new_root: after,
            tx_count: chunk.len() as u16,
            tx_list: chain(chunk.iter().map(link)),
            fee_sum: 21 * chunk.len() as u64,
            id_list: chain(identities.iter().map(id_link)),
            id_count: identities.len() as u16,
            block_time: TIMESTAMP,
        };
        before = after;
        public.vector()
    };
    (0..size.chunks_of(transactions.len())).map(state).collect()
}

/// A block three quarters full (and one more transaction), with its decision and a pruning proof.
pub fn block<F: CircuitField>(size: &Size) -> Statement<F> {
    let three_quarters = |n: usize| (n * 3 / 4).max(1);
    let roots: [Native<F>; ROOTS] = std::array::from_fn(|i| digest(210, i));
    let n = (three_quarters(size.transactions) + 1).min(size.transactions);
    let transfer =
        |i: usize| Transfer::parse(&sample::transaction(i as u64)).expect("an honest transfer").public().vector();
    let transactions: Vec<Vec<F>> = (0..n).map(transfer).collect();
    let identities = identities(three_quarters(size.identities), &roots[GLOBAL_STATE], &roots[ZSI]);
    let states = states(size, &transactions, &identities, &roots[GLOBAL_STATE]);
    let uptime = |i: usize| {
        let mut v = vector(&UPTIME, i);
        set(&UPTIME, &mut v, input::UPTIME_IDENTITY_ROOT, Elements::new().digest(&roots[ZSI]));
        v
    };
    let mut new_roots: [Native<F>; ROOTS] = std::array::from_fn(|i| digest(220, i));
    new_roots[GLOBAL_STATE] = STATE.digest(states.last().expect("one at least"), input::STATE_ROOT_AFTER);
    new_roots[ZSI] = IDENTITY.digest(identities.last().expect("one at least"), input::IDENTITY_ROOT_AFTER);
    let mut s = Statement {
        vk_ids: std::array::from_fn::<_, CIRCUITS, _>(|i| [i as u8 + 1; 32]),
        previous: Previous {
            previous_commitment: digest(230, 0),
            state_proof: digest(230, 1),
            roots,
            pruning_fold: digest(230, 2),
            activity: digest(230, 3),
            height: HEIGHT - 1,
        },
        roots: new_roots,
        header: Header { parent: digest(230, 4), height: HEIGHT, timestamp: TIMESTAMP },
        identities: Slots::new(&IDENTITY, size.identities, identities),
        transactions: Slots::new(&TRANSACTION, size.transactions, transactions),
        uptimes: Slots::new(&UPTIME, size.uptimes, (0..three_quarters(size.uptimes)).map(uptime).collect()),
        decisions: Slots::new(&DECISION, 1, vec![vector(&DECISION, 0)]),
        states: Slots::new(&STATE, size.chunks(), states),
        pruning: Slots::new(&PRUNING, 1, vec![vector(&PRUNING, 0)]),
    };
    seal(&mut s);
    s
}

/// Makes the decision one about this block again.
pub fn seal<F: CircuitField>(s: &mut Statement<F>) {
    let header = s.header();
    set(&DECISION, &mut s.decisions.vectors[0], input::DECISION_BLOCK_HASH, Elements::new().digest(&header));
}
