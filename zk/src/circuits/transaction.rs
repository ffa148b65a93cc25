//! The transaction circuit: *the published old and new leaves of the sender are related by exactly this transfer with
//! this nonce.* That its owner wants it is the native Ed25519 signature.
//!
//! Numbers are those of the specification; T2 is native, T12 and T13 belong to the state circuit.
//!
//! * T1 every u64 is a U64; tiers are in 0..=5.
//! * T3 m = H[TX](from, to, amount, fee, nonce, timestamp, memo); T4 it is public input 11.
//! * T5 total = amount + fee; T6 new balance + total = old balance; T7 old nonce + 1 = nonce.
//! * T8, T9 the old and the new leaf of the sender.
//! * T10 tier − required_tier ≥ 0; T11 last_decay ≤ timestamp.
//! * T14 from ≠ to; T15 amount ≠ 0.

pub mod layout;

use layout::PublicWires;
pub use layout::{Public, Statement};

use crate::accounts::{Account, lift_or, transfer_link};
use crate::circuits::builder::Builder;
use crate::circuits::family::Family;
use crate::circuits::gadgets::{assert_digest_neq, le64, range, u64_witness};
use crate::circuits::layout::{Codec, Layout};
use crate::circuits::sample;
pub use crate::circuits::transfer::TIER_MAX;
use crate::circuits::transfer::{AccountWires, Payment, tier_range};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, address, zero};
use crate::tags::Tag;

/// The family, which has one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transaction;

impl Family for Transaction {
    const ID: u8 = 1;
    const LAYOUT: Layout = layout::LAYOUT;

    fn new(params: &[u32]) -> Result<Self, ZkError> {
        match params {
            [] => Ok(Transaction),
            _ => Err(ZkError::Unsupported("the transaction circuit takes no parameters".into())),
        }
    }

    fn params(&self) -> Vec<u32> {
        vec![]
    }

    fn constants(&self) -> Vec<u64> {
        vec![u64::from(TIER_MAX)]
    }

    fn vector<F: CircuitField>(&self, statement: &[u8]) -> Result<Vec<F>, ZkError> {
        Ok(Transfer::parse(statement)?.public().vector())
    }

    fn record<F: CircuitField>(&self, witness: &[u8], b: &mut Builder<F>) -> Result<(), ZkError> {
        Transfer::parse(witness)?.record(b);
        Ok(())
    }

    fn sample<F: CircuitField>(&self) -> (Vec<u8>, Vec<u8>) {
        (sample::transaction(0), sample::transaction(0))
    }
}

/// A transfer with everything the circuit needs.
#[derive(Clone, Debug)]
pub struct Transfer<F> {
    pub from: Native<F>,
    pub to: Native<F>,
    pub amount: u64,
    pub fee: u64,
    pub nonce: u64,
    pub required_tier: u16,
    pub timestamp: u64,
    pub memo: Native<F>,
    pub leaf_old: Native<F>,
    pub leaf_new: Native<F>,
    pub m: Native<F>,
    pub total: u64,
    pub balance_new: u64,
    /// The sender before the transfer.
    pub account: Account<F>,
}

impl<F: CircuitField> Transfer<F> {
    /// Parses a statement and computes all that follows from it.
    pub fn parse(statement: &[u8]) -> Result<Self, ZkError> {
        Self::of(&Statement::parse(statement, &Transaction)?)
    }

    /// A statement with all that follows from it. Fails where no new leaf exists: amount + fee overflows or exceeds the
    /// balance. Other violations are left to the constraints.
    pub fn of(statement: &Statement) -> Result<Self, ZkError> {
        let mut transfer = Self::given(statement);
        let (amount, fee) = (transfer.amount, transfer.fee);
        let total = amount.checked_add(fee).ok_or_else(|| ZkError::AmountOutOfRange("amount + fee".into()))?;
        transfer.total = total;
        transfer.balance_new = transfer
            .account
            .balance
            .checked_sub(total)
            .ok_or_else(|| ZkError::InvalidWitness("amount + fee is above the balance".into()))?;
        transfer.derive();
        Ok(transfer)
    }

    /// What the statement says, without what follows from it.
    fn given(s: &Statement) -> Self {
        Transfer {
            from: address(&s.from_public_key),
            to: address(&s.to_public_key),
            amount: s.amount,
            fee: s.fee,
            nonce: s.nonce,
            required_tier: u16::from(s.required_tier),
            timestamp: s.timestamp,
            memo: lift_or(&s.memo, zero()),
            account: Account::of(&s.sender),
            leaf_old: zero(),
            leaf_new: zero(),
            m: zero(),
            total: 0,
            balance_new: 0,
        }
    }

    /// m of a statement, whether or not the sender can pay.
    pub fn digest_of(statement: &[u8]) -> Result<Native<F>, ZkError> {
        Ok(Self::given(&Statement::parse(statement, &Transaction)?).message())
    }

    /// Computes the leaves and m from the other fields.
    pub fn derive(&mut self) {
        self.leaf_old = self.account.leaf(&self.from, self.account.balance, self.account.nonce);
        self.leaf_new = self.account.leaf(&self.from, self.balance_new, self.nonce);
        self.m = self.message();
    }

    /// `m = H[TX](from, to, amount, fee, nonce, timestamp, memo)`.
    fn message(&self) -> Native<F> {
        Elements::new()
            .digest(&self.from)
            .digest(&self.to)
            .u64(self.amount)
            .u64(self.fee)
            .u64(self.nonce)
            .u64(self.timestamp)
            .digest(&self.memo)
            .hash(Tag::Tx)
    }

    /// The transfer in a state proof's list.
    pub fn link(&self) -> Native<F> {
        transfer_link(&self.m, &self.leaf_old, &self.leaf_new)
    }

    /// The public inputs.
    pub fn public(&self) -> Public<F> {
        Public {
            from: self.from,
            to: self.to,
            amount: self.amount,
            fee: self.fee,
            nonce: self.nonce,
            required_tier: self.required_tier,
            timestamp: self.timestamp,
            memo: self.memo,
            leaf_old: self.leaf_old,
            leaf_new: self.leaf_new,
            m: self.m,
        }
    }

    /// Records the circuit on these values.
    pub fn record(&self, b: &mut Builder<F>) {
        b.mark("T1");
        let PublicWires { from, to, amount, fee, nonce, required_tier, timestamp, memo, leaf_old, leaf_new, m } =
            self.public().wires(b);
        let sender = AccountWires::record(b, &self.account);
        let balance_new = u64_witness(b, self.balance_new);
        tier_range(b, required_tier);
        let payment = Payment { from, to, amount, fee, nonce, timestamp, memo };

        b.mark("T3");
        let computed = payment.message(b);
        b.mark("T4");
        b.assert_digest_eq(&computed, &m);
        payment.debit(b, &sender, &balance_new, self.total);
        b.mark("T8");
        let computed = sender.own_leaf(b, &from);
        b.assert_digest_eq(&computed, &leaf_old);
        b.mark("T9");
        let computed = sender.leaf(b, &from, &balance_new, &nonce);
        b.assert_digest_eq(&computed, &leaf_new);
        // Both tiers are below 8, so their difference is above −8: what is negative is far above 2^3 in the field.
        b.mark("T10");
        let margin = b.sub(sender.tier, required_tier);
        range(b, margin, 3);
        b.mark("T11");
        le64(b, &sender.last_decay, &timestamp);
        b.mark("T14");
        assert_digest_neq(b, &from, &to);
        payment.something(b);
    }
}
