//! Forgeries of aggregations: up to eight transactions (seven are there) in chunks of four, two of three identities,
//! two of three uptimes.

use simnet_zk::accounts::chain;
use simnet_zk::circuits::builder::Builder;
use simnet_zk::circuits::family::Family;
use simnet_zk::circuits::recursive::statement::{GLOBAL_STATE, Statement, ZSI};
use simnet_zk::circuits::recursive::vectors::{DECISION, IDENTITY, PRUNING, STATE, TRANSACTION, UPTIME, input};
use simnet_zk::circuits::recursive::{Size, circuit, sample};
use simnet_zk::field::{CircuitField, Native};
use simnet_zk::natives::{Elements, lift};

use super::{Forgery, Record, claim, forgery, wrong_hash};

pub const SIZE: Size = Size { transactions: 8, identities: 3, uptimes: 3, chunk: 4 };

pub fn honest<F: CircuitField>() -> Statement<F> {
    Statement::parse(&SIZE.sample::<F>().0, &SIZE).expect("an honest statement")
}

/// Records a changed statement, whose decision is about the changed block, with the public inputs that follow.
pub fn record<F: CircuitField>(change: impl Fn(&mut Statement<F>)) -> impl Record<F> {
    let mut statement = honest::<F>();
    change(&mut statement);
    sample::seal(&mut statement);
    of(statement)
}

/// The same with the decision that was there.
fn uncertified<F: CircuitField>(change: impl Fn(&mut Statement<F>)) -> impl Record<F> {
    let mut statement = honest::<F>();
    change(&mut statement);
    of(statement)
}

fn of<F: CircuitField>(statement: Statement<F>) -> impl Record<F> {
    move |b: &mut Builder<F>| circuit::record(b, &SIZE, &statement, &statement.public())
}

/// An honest block without identities.
pub fn without_identities<F: CircuitField>(s: &mut Statement<F>) {
    s.identities.present.fill(false);
    s.roots[ZSI] = s.previous.roots[ZSI];
    set_state(s, 0, input::STATE_ID_LIST, Elements::new().digest(&chain([])));
    set_state(s, 0, input::STATE_ID_COUNT, Elements::new().small(0));
}

/// An honest block without transactions: one state proof over none.
pub fn without_transactions<F: CircuitField>(s: &mut Statement<F>) {
    s.transactions.present.fill(false);
    s.states.present[1] = false;
    set_state(s, 0, input::STATE_TX_LIST, Elements::new().digest(&chain([])));
    set_state(s, 0, input::STATE_TX_COUNT, Elements::new().small(0));
    s.roots[GLOBAL_STATE] = STATE.digest(&s.states.vectors[0], input::STATE_ROOT_AFTER);
}

fn set_state<F: CircuitField>(s: &mut Statement<F>, chunk: usize, input: usize, value: Elements<F>) {
    sample::set(&STATE, &mut s.states.vectors[chunk], input, value);
}

fn set_identity<F: CircuitField>(s: &mut Statement<F>, i: usize, input: usize, value: &Native<F>) {
    sample::set(&IDENTITY, &mut s.identities.vectors[i], input, Elements::new().digest(value));
}

fn nothing<F: CircuitField>(s: &mut Statement<F>) {
    without_identities(s);
    without_transactions(s);
    s.uptimes.present.fill(false);
    s.decisions.present[0] = false;
}

/// What a swap of the fields of one transaction or state vector breaks.
fn lists<F: CircuitField>(other: Native<F>) -> Vec<Forgery<F>> {
    let digest = |d: &Native<F>| Elements::new().digest(d);
    vec![
        wrong_hash("a link of something else", "R6", record::<F>(|_| ())),
        forgery(
            "a transaction without effect",
            ["R6"],
            record::<F>(|s| {
                sample::set(&TRANSACTION, &mut s.transactions.vectors[0], input::TX_DIGEST, digest(&other));
            }),
        ),
        forgery("transactions reordered", ["R6"], record::<F>(|s| s.transactions.vectors.swap(0, 1))),
        forgery("transactions of two chunks swapped", ["R6"], record::<F>(|s| s.transactions.vectors.swap(1, 5))),
        forgery("a transaction dropped", ["R6"], record::<F>(|s| s.transactions.present[6] = false)),
        forgery(
            "an effect counted twice",
            ["R6"],
            record::<F>(|s| set_state(s, 1, input::STATE_TX_COUNT, Elements::new().small(4))),
        ),
        forgery(
            "a stale identity root",
            ["R7"],
            record::<F>(|s| set_identity(s, 0, input::IDENTITY_ROOT_BEFORE, &other)),
        ),
        forgery(
            "an identity root out of nowhere",
            ["R7"],
            record::<F>(|s| set_identity(s, 1, input::IDENTITY_ROOT_BEFORE, &other)),
        ),
        forgery(
            "an identity over another state",
            ["R7"],
            record::<F>(|s| set_identity(s, 1, input::IDENTITY_STATE_ROOT, &other)),
        ),
        forgery(
            "an identity without effect",
            ["R7"],
            record::<F>(|s| set_identity(s, 0, input::IDENTITY_COMMITMENT, &other)),
        ),
        forgery("another identity root", ["R7"], record::<F>(|s| s.roots[ZSI] = other)),
        forgery(
            "an identity that the state proof did not count",
            ["R7"],
            record::<F>(|s| set_state(s, 0, input::STATE_ID_COUNT, Elements::new().small(1))),
        ),
        forgery(
            "an identity in a later chunk",
            ["R7"],
            record::<F>(|s| set_state(s, 1, input::STATE_ID_COUNT, Elements::new().small(1))),
        ),
        forgery("another global state", ["R8"], record::<F>(|s| s.roots[GLOBAL_STATE] = other)),
        forgery(
            "a gap between two chunks",
            ["R8"],
            record::<F>(|s| set_state(s, 1, input::STATE_ROOT_BEFORE, digest(&other))),
        ),
    ]
}

pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    let digest = |d: &Native<F>| Elements::new().digest(d);
    let same = || record::<F>(|_| ());
    let counts = 2 * F::DIGEST;
    let height = counts + 4;
    let roots = height + if F::WIDE { 1 } else { 4 };
    let pruning_fold = roots + 6 * F::DIGEST;
    let vk_set_root = pruning_fold + F::DIGEST;
    let mut out = vec![
        claim("one uptime more", ["R1"], same(), counts + 2, F::from_u64(3)),
        claim("one identity less", ["R1"], same(), counts + 1, F::from_u64(1)),
        forgery("nothing at all", ["R1"], record::<F>(nothing)),
        super::lie(
            "a hole among the uptimes",
            ["R1"],
            record::<F>(|s| {
                s.uptimes.present = vec![true, false, true];
                s.uptimes.vectors[2] = s.uptimes.vectors[1].clone();
            }),
            |_, _| vec![],
        ),
        claim("another set of keys", ["R2"], same(), vk_set_root, other[0]),
        wrong_hash("a proof commitment of something else", "R3", same()),
        wrong_hash("a list of something else", "R4", same()),
        wrong_hash("an activity of something else", "R5", same()),
        claim("another pruning fold", ["R9"], same(), pruning_fold, other[0]),
        forgery(
            "an uptime of a stranger",
            ["R10"],
            record::<F>(|s| {
                sample::set(&UPTIME, &mut s.uptimes.vectors[1], input::UPTIME_IDENTITY_ROOT, digest(&other));
            }),
        ),
        forgery(
            "a certificate of another block",
            ["R11"],
            uncertified::<F>(|s| {
                sample::set(&DECISION, &mut s.decisions.vectors[0], input::DECISION_BLOCK_HASH, digest(&other));
            }),
        ),
        forgery("a parent that nobody certified", ["R11"], uncertified::<F>(|s| s.header.parent = other)),
        forgery("another block time", ["R11"], record::<F>(|s| s.header.timestamp += 1)),
        wrong_hash("a state digest of something else", "R12", same()),
        claim("another aggregate", ["R13"], same(), F::DIGEST, other[0]),
        claim("another predecessor", ["R14"], same(), 0, other[0]),
        forgery("a skipped height", ["R14"], record::<F>(|s| s.header.height += 1)),
        forgery(
            "a state that the predecessor did not have",
            ["R14"],
            record::<F>(|s| s.previous.roots[GLOBAL_STATE] = other),
        ),
    ];
    out.push(super::lie(
        "a pruning fold without a pruning proof",
        ["R9"],
        record::<F>(|s| s.pruning.present[0] = false),
        |s, values| {
            let fold = PRUNING.digest(&honest::<F>().pruning.vectors[0], input::PRUNING_FOLD);
            assert_eq!(values[s.public[pruning_fold].0 as usize], F::ZERO);
            vec![(s.public[pruning_fold], fold[0])]
        },
    ));
    out.extend(lists(other));
    out
}
