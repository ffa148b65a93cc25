//! A small chain that fills the slots of the state circuit, honestly or, for forgeries, with a lie at one step that every
//! later step follows up.

use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::{Account, chain, identity_link};
use crate::circuits::state::Size;
use crate::circuits::state::circuit::{Assignment, IdentitySlot, TransferSlot};
use crate::circuits::state::layout::{self, Receiver, Statement, Witness};
use crate::circuits::state::statement::{Entrant, Public, Receipt};
use crate::circuits::transaction::{self, Transfer};
use crate::field::{CircuitField, Native};
use crate::natives::{address, bits32, empty, lift, zero};
use crate::tags::Tag;
use crate::tree::Tree;

/// Seconds.
pub const BLOCK_TIME: u64 = 1_700_000_600;

/// The public key of account `i`.
fn public_key(i: u8) -> [u8; 32] {
    [i; 32]
}

/// The address of account `i`.
pub fn addr<F: CircuitField>(i: u8) -> Native<F> {
    address(&public_key(i))
}

/// Accounts by number, and the tree of their leaves.
pub struct Ledger<F> {
    pub tree: Tree<F>,
    pub accounts: BTreeMap<u8, Account<F>>,
}

/// Where a lie can be told.
pub enum Step<'a, F> {
    /// Before prev_state_root is taken.
    Start,
    /// An identity slot is about to be written.
    Identity(usize, &'a mut IdentitySlot<F>),
    /// A transfer is about to be made; its leaves follow from its other fields.
    Transfer(usize, &'a mut TransferSlot<F>),
    /// The sender's leaf, then the receiver's, is about to be written.
    Sender(usize),
    Receiver(usize),
}

/// Account numbers: who has funds before the block, its new identities, then senders and receivers.
pub struct Script {
    pub funded: Vec<u8>,
    pub identities: Vec<u8>,
    pub transfers: Vec<(u8, u8)>,
}

impl Script {
    /// Three quarters of the slots, at least one; fewer identities where the tree has no more room. Receivers are old, new,
    /// just opened, and the sender itself.
    pub fn honest<F: CircuitField>(size: &Size) -> Self {
        let three_quarters = |n: usize| (n * 3).div_ceil(4);
        let mut taken = BTreeSet::new();
        // No two accounts may share a slot of the tree: who comes second to one is left out. A tree of two leaves has
        // room for account 1 and one identity, so these are the first.
        let mut apart = |i: &u8| taken.insert(bits32(&addr::<F>(*i)) & u32::MAX >> (32 - size.depth));
        let mut newcomers = 201..=u8::MAX;
        apart(&1);
        let mut funded = vec![1];
        let mut identities: Vec<u8> = newcomers.by_ref().filter(&mut apart).take(1).collect();
        funded.extend((2..=6).filter(&mut apart));
        let fresh = apart(&101).then_some(101);
        identities.extend(newcomers.filter(&mut apart).take(three_quarters(size.identities) - 1));
        let old = funded.contains(&2).then_some(2);
        let receivers: Vec<u8> =
            [old, fresh, identities.first().copied(), Some(1), fresh].into_iter().flatten().collect();
        let senders = &funded[..funded.len().min(5)];
        let transfer = |i: usize| (senders[i % senders.len()], receivers[i % receivers.len()]);
        let transfers = (0..three_quarters(size.transfers)).map(transfer).collect();
        Script { funded, identities, transfers }
    }
}

impl<F: CircuitField> Ledger<F> {
    /// Some accounts have funds, and 6 the highest tier.
    fn new(depth: usize, funded: &[u8]) -> Self {
        let tree = Tree::new(depth, &empty(Tag::Account)).expect("a depth");
        let mut ledger = Ledger { tree, accounts: BTreeMap::new() };
        for i in funded {
            let account = Account {
                balance: (7 << 32) + u64::from(*i),
                nonce: 65_535 + u64::from(*i),
                stake: 1 << 40,
                tier: if *i == 6 { 5 } else { 3 },
                last_decay: BLOCK_TIME - 1000,
                ..Account::fresh()
            };
            ledger.set(*i, account);
        }
        ledger
    }

    /// Writes an account and its leaf.
    pub fn set(&mut self, i: u8, account: Account<F>) {
        self.tree = self.tree.update(&[(addr(i), account.own_leaf(&addr(i)))]);
        self.accounts.insert(i, account);
    }

    /// Writes a leaf to a slot and returns the siblings that stood there.
    fn replace(&mut self, slot: u32, leaf: Native<F>) -> Vec<Native<F>> {
        let path = self.tree.path_at(slot);
        self.tree = self.tree.update_at(vec![(slot, leaf)]);
        path
    }

    fn insert(&mut self, i: u8, slot: &mut IdentitySlot<F>) {
        let account = Account::opened(&slot.entrant.commitment, BLOCK_TIME);
        slot.path = self.replace(slot.slot, account.own_leaf(&slot.entrant.addr));
        self.accounts.insert(i, account);
    }

    /// A transfer as its wallet makes it; transfer `i` of the block.
    fn transfer(&self, i: usize, from: u8, to: u8) -> TransferSlot<F> {
        let account = self.accounts[&from].clone();
        let (amount, fee) = (100_000 + i as u64, 40_000 + i as u64);
        let total = amount + fee;
        let mut transfer = Transfer {
            from: addr(from),
            to: addr(to),
            amount,
            fee,
            nonce: account.nonce + 1,
            required_tier: 1,
            timestamp: BLOCK_TIME - i as u64,
            memo: if i.is_multiple_of(2) { zero() } else { lift(&[i as u8; 32]) },
            leaf_old: zero(),
            leaf_new: zero(),
            m: zero(),
            total,
            // A sender that cannot pay is refused by T6.
            balance_new: account.balance.wrapping_sub(total),
            account,
        };
        transfer.derive();
        let paid = |account: &Account<F>| {
            let (balance, nonce) = (transfer.balance_new, transfer.nonce);
            Account { balance, nonce, ..account.clone() }
        };
        let known = self.accounts.get(&to).map(|a| if from == to { paid(a) } else { a.clone() });
        let is_new = known.is_none();
        let account = known.unwrap_or_else(Account::fresh);
        TransferSlot::new(transfer, Receipt { is_new, account, sender_path: vec![], receiver_path: vec![] })
    }

    /// Applies a transfer and fills its paths in.
    fn apply(&mut self, i: usize, (from, to): (u8, u8), slot: &mut TransferSlot<F>, lie: &mut impl Lie<F>) {
        let t = &mut slot.transfer;
        t.derive();
        lie(self, Step::Sender(i));
        slot.receipt.sender_path = self.replace(slot.sender_slot, t.leaf_new);
        let sender = Account { balance: t.balance_new, nonce: t.nonce, ..t.account.clone() };
        self.accounts.insert(from, sender);
        lie(self, Step::Receiver(i));
        let receiver = Account { balance: slot.receiver_balance_new, ..slot.receipt.account.clone() };
        slot.receipt.receiver_path = self.replace(slot.receiver_slot, receiver.own_leaf(&t.to));
        self.accounts.insert(to, receiver);
    }
}

/// A change at some steps.
pub trait Lie<F>: FnMut(&mut Ledger<F>, Step<'_, F>) {}
impl<F, T: FnMut(&mut Ledger<F>, Step<'_, F>)> Lie<F> for T {}

/// The slots of a script and the public inputs that follow from them.
pub fn assignment<F: CircuitField>(size: &Size, script: &Script, mut lie: impl Lie<F>) -> Assignment<F> {
    let mut ledger = Ledger::new(size.depth, &script.funded);
    lie(&mut ledger, Step::Start);
    let prev_root = ledger.tree.root();
    let (mut identities, mut transfers) = (vec![], vec![]);
    for (i, number) in script.identities.iter().enumerate() {
        let entrant = Entrant { addr: addr(*number), commitment: lift(&[i as u8 + 50; 32]) };
        let mut slot = IdentitySlot::new(entrant, vec![]);
        lie(&mut ledger, Step::Identity(i, &mut slot));
        ledger.insert(*number, &mut slot);
        identities.push(slot);
    }
    for (i, ends) in script.transfers.iter().enumerate() {
        let mut slot = ledger.transfer(i, ends.0, ends.1);
        lie(&mut ledger, Step::Transfer(i, &mut slot));
        ledger.apply(i, *ends, &mut slot, &mut lie);
        transfers.push(slot);
    }
    let public = Public {
        prev_root,
        new_root: ledger.tree.root(),
        tx_count: transfers.len() as u16,
        tx_list: chain(transfers.iter().map(|s| s.transfer.link())),
        fee_sum: transfers.iter().fold(0, |sum: u64, s| sum.wrapping_add(s.transfer.fee)),
        id_list: chain(identities.iter().map(|s| identity_link(&s.entrant.addr, &s.entrant.commitment))),
        id_count: identities.len() as u16,
        block_time: BLOCK_TIME,
    };
    let mut assignment = Assignment { public, identities, transfers };
    assignment.pad(size);
    assignment
}

/// A transfer as the transaction circuit's statement. Senders have no reputation here.
fn transfer<F: CircuitField>(t: &Transfer<F>, (from, to): (u8, u8), memo: [u8; 32]) -> transaction::Statement {
    let a = &t.account;
    transaction::Statement {
        from_public_key: public_key(from),
        to_public_key: public_key(to),
        amount: t.amount,
        fee: t.fee,
        nonce: t.nonce,
        required_tier: t.required_tier as u8,
        timestamp: t.timestamp,
        memo,
        sender: transaction::layout::Account {
            balance: a.balance,
            nonce: a.nonce,
            stake: a.stake,
            tier: a.tier as u8,
            last_decay: a.last_decay,
            rep: [0; 32],
        },
    }
}

fn receipt<F: CircuitField>(receipt: Receipt<F>) -> layout::Receipt<F> {
    let Account { balance, nonce, stake, tier, last_decay, rep } = receipt.account;
    layout::Receipt {
        r_is_new: receipt.is_new,
        receiver: Receiver { balance, nonce, stake, tier: tier as u8, last_decay, rep },
        sender_path: receipt.sender_path,
        receiver_path: receipt.receiver_path,
    }
}

/// The witness of an honest block.
pub fn witness<F: CircuitField>(size: &Size) -> Witness<F> {
    let script = Script::honest::<F>(size);
    let mut a = assignment::<F>(size, &script, |_: &mut Ledger<F>, _: Step<'_, F>| ());
    a.identities.truncate(script.identities.len());
    a.transfers.truncate(script.transfers.len());
    let entrant = |(number, slot): (&u8, &IdentitySlot<F>)| layout::Entrant {
        public_key: public_key(*number),
        commitment: slot.entrant.commitment,
    };
    let memo = |i: usize| if i.is_multiple_of(2) { [0; 32] } else { [i as u8; 32] };
    let ends = script.transfers.iter().zip(&a.transfers).enumerate();
    let statement = Statement {
        prev_state_root: a.public.prev_root,
        new_state_root: a.public.new_root,
        block_time: BLOCK_TIME,
        identities: script.identities.iter().zip(&a.identities).map(entrant).collect(),
        transfers: ends.map(|(i, (ends, slot))| transfer(&slot.transfer, *ends, memo(i))).collect(),
    };
    Witness {
        statement,
        identity_paths: a.identities.into_iter().map(|slot| slot.path).collect(),
        receipts: a.transfers.into_iter().map(|slot| receipt(slot.receipt)).collect(),
    }
}
