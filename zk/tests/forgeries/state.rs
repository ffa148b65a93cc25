//! Forgeries of state transitions. A lie is told at one step, and the ledger goes on from it.

use simnet_zk::accounts::{Account, chain};
use simnet_zk::circuits::builder::{Builder, Wire};
use simnet_zk::circuits::state::Size;
use simnet_zk::circuits::state::circuit::{Assignment, TransferSlot};
use simnet_zk::circuits::state::sample::{BLOCK_TIME, Ledger, Lie, Script, Step, addr, assignment};
use simnet_zk::field::{CircuitField, Native};
use simnet_zk::natives::{Elements, bits32, empty, lift, limbs};
use simnet_zk::tags::Tag;

use super::{Forgery, forgery, small_modulus};

pub const SIZE: Size = Size { transfers: 4, identities: 1, depth: 16 };

fn record<F: CircuitField>(a: Assignment<F>) -> impl FnOnce(&mut Builder<F>) {
    move |b: &mut Builder<F>| a.record(b)
}

/// Identity 201, then transfers to an old, a new and a just opened account; one slot stays free.
fn told<F: CircuitField>(lie: impl Lie<F>) -> impl FnOnce(&mut Builder<F>) {
    record(assignment(&SIZE, &Script::honest::<F>(&SIZE), lie))
}

/// Another block.
fn block<F: CircuitField>(identities: &[u8], transfers: &[(u8, u8)], lie: impl Lie<F>) -> impl FnOnce(&mut Builder<F>) {
    let script = Script::honest::<F>(&SIZE);
    let script = Script { identities: identities.to_vec(), transfers: transfers.to_vec(), ..script };
    record(assignment(&SIZE, &script, lie))
}

fn honest<F: CircuitField>() -> Assignment<F> {
    assignment(&SIZE, &Script::honest::<F>(&SIZE), |_: &mut Ledger<F>, _: Step<'_, F>| ())
}

/// A change of the assignment alone.
fn tampered<F: CircuitField>(change: impl FnOnce(&mut Assignment<F>)) -> impl FnOnce(&mut Builder<F>) {
    let mut a = honest::<F>();
    change(&mut a);
    record(a)
}

/// A changed transfer of the honest block.
fn transfer<F: CircuitField>(which: usize, change: impl Fn(&mut TransferSlot<F>)) -> impl FnOnce(&mut Builder<F>) {
    told(move |_: &mut Ledger<F>, step: Step<'_, F>| {
        if let Step::Transfer(i, slot) = step
            && i == which
        {
            change(slot);
        }
    })
}

/// The new receiver of the second transfer had something.
fn prefilled<F: CircuitField>(change: impl Fn(&mut Account<F>)) -> impl FnOnce(&mut Builder<F>) {
    transfer(1, move |slot| {
        change(&mut slot.receipt.account);
        slot.receiver_balance_new = slot.receipt.account.balance + slot.transfer.amount;
    })
}

/// An account of the genesis state that is not as it should be.
fn genesis<F: CircuitField>(who: u8, change: impl Fn(&mut Account<F>)) -> impl Lie<F> {
    move |ledger: &mut Ledger<F>, step: Step<'_, F>| {
        if let Step::Start = step {
            let mut account = ledger.accounts[&who].clone();
            change(&mut account);
            ledger.set(who, account);
        }
    }
}

/// From this step on the tree is another one, in which account 4 is rich.
fn switch<F: CircuitField>(at: impl Fn(&Step<'_, F>) -> bool) -> impl Lie<F> {
    move |ledger: &mut Ledger<F>, step: Step<'_, F>| {
        if at(&step) {
            let account = Account { balance: 1 << 60, ..ledger.accounts[&4].clone() };
            ledger.set(4, account);
        }
    }
}

/// The identity of an account that exists; its slot is said to be empty.
fn overwritten<F: CircuitField>(ledger: &mut Ledger<F>, step: Step<'_, F>) {
    if let Step::Identity(_, slot) = step {
        ledger.tree = ledger.tree.update_at(vec![(slot.slot, empty(Tag::Account))]);
    }
}

/// Account 1 has always stood in its neighbour's slot.
fn misplaced_sender<F: CircuitField>(ledger: &mut Ledger<F>, step: Step<'_, F>) {
    match step {
        Step::Start => {
            let slot = bits32(&addr::<F>(1)) ^ 1;
            ledger.tree = ledger.tree.update_at(vec![(slot, ledger.accounts[&1].own_leaf(&addr(1)))]);
        }
        Step::Transfer(0, slot) => slot.sender_slot ^= 1,
        _ => (),
    }
}

/// The leaf of account 1 with 2^16 moved from the second limb of its balance into the first.
fn unbalanced_leaf<F: CircuitField>(a: &Account<F>) -> Native<F> {
    let elements = Elements::new().digest(&addr(1));
    let elements = if F::WIDE {
        elements.u64(a.balance)
    } else {
        let [l0, l1, l2, l3] = limbs(a.balance).map(F::from_u64);
        let base = F::from_u64(1 << 16);
        Elements([elements.0, vec![l0 + base, l1 - F::ONE, l2, l3]].concat())
    };
    let elements = elements.u64(a.nonce).u64(a.stake).small(a.tier).u64(a.last_decay).small(1);
    elements.digest(&a.rep).hash(Tag::Account)
}

/// The limb attack: the tree has that leaf, and the limbs are given so.
fn limb_attack<F: CircuitField>() -> impl FnOnce(&mut Builder<F>) {
    // In transfer 0 the low limbs of new balance and total carry; the moved 2^16 takes the carry's place.
    let lie = |ledger: &mut Ledger<F>, step: Step<'_, F>| {
        if let Step::Start = step {
            let leaf = unbalanced_leaf(&ledger.accounts[&1]);
            ledger.tree = ledger.tree.update(&[(addr(1), leaf)]);
        }
    };
    let mut a = assignment(&SIZE, &Script::honest::<F>(&SIZE), lie);
    a.transfers[0].transfer.leaf_old = unbalanced_leaf(&a.transfers[0].transfer.account);
    a.public.tx_list = chain(a.transfers[..3].iter().map(|s| s.transfer.link()));
    let [l0, l1] = balance_limbs(&a);
    move |b: &mut Builder<F>| {
        let [v0, v1, ..] = limbs(a.transfers[0].transfer.account.balance).map(F::from_u64);
        b.lie(l0, v0 + F::from_u64(1 << 16));
        b.lie(l1, v1 - F::ONE);
        a.record(b);
    }
}

/// The wires of the lowest limbs of the first sender's balance: what is range-checked after amount, fee, nonce and
/// timestamp, which are the first numbers after the public ones.
fn balance_limbs<F: CircuitField>(a: &Assignment<F>) -> [Wire; 2] {
    let mut b = Builder::new();
    a.record(&mut b);
    let (structure, values) = b.finish();
    let mark = structure.marks.iter().filter(|m| m.name == "T1").nth(1).expect("the first transfer");
    let first = mark.start[3] as usize + 16;
    let limb = |i: usize| structure.ranges[first + i];
    let value = a.transfers[0].transfer.account.balance;
    assert_eq!(values[limb(0).0 as usize], F::from_u64(limbs(value)[0]), "the wire of the balance");
    [limb(0), limb(1)]
}

/// Value rules.
fn rules<F: CircuitField>() -> Vec<Forgery<F>> {
    vec![
        forgery("a sender's tier of 6", ["T1"], told(genesis(1, |a| a.tier = 6))),
        forgery("a receiver's tier of 7", ["T1"], block(&[], &[(1, 2)], genesis(2, |a| a.tier = 7))),
        forgery("one balance, two encodings", ["T1"], limb_attack()),
        forgery(
            "paid less than amount and fee",
            ["T5"],
            transfer(0, |s| {
                s.transfer.total -= 1;
                s.transfer.balance_new += 1;
            }),
        ),
        forgery(
            "amount and fee wrap around",
            ["T5"],
            transfer(1, |s| {
                let t = &mut s.transfer;
                (t.amount, t.fee, t.total, t.balance_new) = (u64::MAX, 2, 1, t.account.balance - 1);
                s.receiver_balance_new = u64::MAX;
            }),
        ),
        forgery("debited too little", ["T6"], transfer(0, |s| s.transfer.balance_new += 1)),
        forgery("a balance short by one", ["T6"], block(&[], &[(1, 2)], genesis(1, |a| a.balance = 140_000 - 1))),
        forgery("a nonce skipped", ["T7"], transfer(0, |s| s.transfer.nonce += 1)),
        forgery("a nonce replayed", ["T7"], transfer(0, |s| s.transfer.nonce -= 1)),
        forgery("before the last decay", ["T11"], transfer(0, |s| s.transfer.timestamp = BLOCK_TIME - 1001)),
        forgery("a new receiver with a balance", ["T12"], prefilled(|a| a.balance = 5)),
        forgery("a new receiver with a nonce", ["T12"], prefilled(|a| a.nonce = 1 << 48)),
        forgery("a new receiver with a stake", ["T12"], prefilled(|a| a.stake = 1)),
        forgery("a new receiver with a tier", ["T12"], prefilled(|a| a.tier = 1)),
        forgery("a new receiver with a decay", ["T12"], prefilled(|a| a.last_decay = 1)),
        forgery("a new receiver with a reputation", ["T12"], prefilled(|a| a.rep[0] = a.rep[0] + F::ONE)),
        forgery("credited too much", ["T13"], transfer(0, |s| s.receiver_balance_new += 1)),
        forgery("a receiver that overflows", ["T13"], block(&[], &[(1, 2)], genesis(2, |a| a.balance = u64::MAX))),
        forgery(
            "nothing paid",
            ["T15"],
            transfer(0, |s| {
                let t = &mut s.transfer;
                (t.balance_new, t.total, t.amount) = (t.balance_new + t.amount, t.fee, 0);
                s.receiver_balance_new = s.receipt.account.balance;
            }),
        ),
    ]
}

/// Roots, lists, counts and sums.
fn structure<F: CircuitField>() -> Vec<Forgery<F>> {
    let other = lift::<F>(&[77; 32]);
    let links = |a: &Assignment<F>, order: &[usize]| chain(order.iter().map(|i| a.transfers[*i].transfer.link()));
    vec![
        forgery("one transfer too many", ["S1"], tampered(|a| a.public.tx_count += 1)),
        forgery("no identity", ["S1"], tampered(|a| a.public.id_count = 0)),
        forgery("an identity over an account", ["S2"], block(&[1], &[(2, 3)], overwritten)),
        forgery(
            "an identity in another slot",
            ["S2"],
            block(&[201], &[(1, 2)], |_: &mut Ledger<F>, step: Step<'_, F>| {
                if let Step::Identity(_, slot) = step {
                    slot.slot ^= 1 << 9;
                }
            }),
        ),
        forgery("another tree before an identity", ["S2"], told(switch(|s| matches!(s, Step::Identity(..))))),
        forgery(
            "a forged old balance",
            ["S3"],
            transfer(0, |s| {
                s.transfer.account.balance += 5;
                s.transfer.balance_new += 5;
            }),
        ),
        forgery("another tree before a sender", ["S3"], told(switch(|s| matches!(s, Step::Sender(1))))),
        forgery("a sender in another slot", ["S3"], block(&[], &[(1, 2)], misplaced_sender)),
        forgery("another tree before a receiver", ["S4"], told(switch(|s| matches!(s, Step::Receiver(1))))),
        forgery("a receiver in another slot", ["S4"], transfer(1, |s| s.receiver_slot ^= 1 << 15)),
        forgery(
            "an old receiver as a new one",
            ["S4"],
            block(&[], &[(1, 2)], |_: &mut Ledger<F>, step: Step<'_, F>| {
                if let Step::Transfer(_, slot) = step {
                    slot.receipt.is_new = true;
                    slot.receipt.account = Account::fresh();
                    slot.receiver_balance_new = slot.transfer.amount;
                }
            }),
        ),
        forgery("another list of transfers", ["S6"], tampered(|a| a.public.tx_list = other)),
        forgery("transfers reordered", ["S6"], tampered(|a| a.public.tx_list = links(a, &[1, 0, 2]))),
        forgery("a transfer dropped", ["S6"], tampered(|a| a.public.tx_list = links(a, &[0, 1]))),
        forgery("a transfer twice", ["S6"], tampered(|a| a.public.tx_list = links(a, &[0, 1, 1, 2]))),
        forgery("another list of identities", ["S7"], tampered(|a| a.public.id_list = other)),
        forgery("a fee hidden", ["S8"], tampered(|a| a.public.fee_sum -= a.transfers[1].transfer.fee)),
        forgery(
            "the fees of free slots counted",
            ["S8"],
            tampered(|a| {
                let (slot, prefunded) = (&mut a.transfers[3].transfer, 5);
                slot.account.balance += prefunded;
                (slot.fee, slot.total) = (prefunded, slot.total + prefunded);
                a.public.fee_sum += prefunded;
            }),
        ),
        forgery("the old root again", ["S9"], tampered(|a| a.public.new_root = a.public.prev_root)),
        forgery("after the block", ["S9"], transfer(0, |s| s.transfer.timestamp = BLOCK_TIME + 1)),
        forgery(
            "a transfer left out",
            ["S6", "S8", "S9"],
            tampered(|a| {
                a.transfers[2].active = false;
                a.public.tx_count = 2;
            }),
        ),
    ]
}

/// Honest blocks, and every forgery.
pub fn all<F: CircuitField>() -> Vec<Forgery<F>> {
    let truth = |_: &mut Ledger<F>, _: Step<'_, F>| ();
    let mut all = vec![
        forgery("nothing", [], told(truth)),
        forgery("an empty block", [], block(&[], &[], truth)),
        forgery("a full block", [], block(&[202], &[(1, 1), (1, 202), (2, 1), (5, 101)], truth)),
    ];
    all.extend(rules());
    all.extend(structure());
    all.extend(sums());
    all
}

/// Fee sums that are right modulo p in some limb; with carries of 16 bits each of these was provable.
fn sums<F: CircuitField>() -> Vec<Forgery<F>> {
    let Some(p) = small_modulus::<F>() else { return vec![] };
    let whats = ["fees of p more", "fees of 2^16 p more", "fees of 2^32 p more"];
    let more = |limb: usize| tampered::<F>(move |a| a.public.fee_sum += p << (16 * limb));
    whats.into_iter().enumerate().map(|(limb, what)| forgery(what, ["S8"], more(limb))).collect()
}
