//! Forgeries of transfers.

use simnet_zk::circuits::builder::Builder;
use simnet_zk::circuits::sample;
use simnet_zk::circuits::transaction::Transfer;
use simnet_zk::field::CircuitField;
use simnet_zk::natives::lift;

use super::{Forgery, Record, forgery, wrong_hash};

/// Whether leaves and m are made again after a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Derived {
    Again,
    Kept,
}

fn record<F: CircuitField>(derived: Derived, change: impl FnOnce(&mut Transfer<F>)) -> impl Record<F> {
    let mut transfer = Transfer::<F>::parse(&sample::transaction(0)).expect("a transfer");
    change(&mut transfer);
    if derived == Derived::Again {
        transfer.derive();
    }
    move |b: &mut Builder<F>| transfer.record(b)
}

pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    use Derived::{Again, Kept};
    let other = lift::<F>(&[77; 32]);
    let credit = |t: &mut Transfer<F>| (t.total, t.balance_new) = (t.total + 1, t.balance_new - 1);
    // The new balance would wrap.
    let overdraw = |t: &mut Transfer<F>| (t.account.balance, t.balance_new) = (t.total - 1, u64::MAX);
    let nothing = |t: &mut Transfer<F>| {
        (t.balance_new, t.total) = (t.balance_new + t.amount, t.fee);
        t.amount = 0;
    };
    let wrap = |t: &mut Transfer<F>| {
        (t.amount, t.fee, t.total) = (u64::MAX, 2, 1);
        t.balance_new = t.account.balance - 1;
    };
    vec![
        forgery("a tier that is none", ["T1"], record(Again, |t| t.account.tier = 6)),
        forgery("two tiers that are none", ["T1"], record(Again, |t| (t.account.tier, t.required_tier) = (7, 7))),
        wrong_hash("the id of something else", "T3", record::<F>(Again, |_| ())),
        forgery("another m", ["T4"], record(Kept, |t| t.m = other)),
        forgery("a total too high", ["T5"], record(Again, credit)),
        forgery("amount and fee that wrap around", ["T5"], record(Again, wrap)),
        forgery("a new balance too high", ["T6"], record(Again, |t| t.balance_new += 1)),
        forgery("a balance too low", ["T6"], record(Again, overdraw)),
        forgery("a nonce left out", ["T7"], record(Again, |t| t.nonce += 1)),
        forgery("a nonce that wraps around", ["T7"], record(Again, |t| (t.account.nonce, t.nonce) = (u64::MAX, 0))),
        forgery("another old leaf", ["T8"], record(Kept, |t| t.leaf_old = other)),
        forgery("another new leaf", ["T9"], record(Kept, |t| t.leaf_new = other)),
        forgery("a tier below the required", ["T10"], record(Again, |t| t.required_tier = 4)),
        forgery("a time before the account's", ["T11"], record(Again, |t| t.timestamp = t.account.last_decay - 1)),
        forgery("a transfer to oneself", ["T14"], record(Again, |t| t.to = t.from)),
        forgery("a transfer of nothing", ["T15"], record(Again, nothing)),
    ]
}
