//! The constraints of the state circuit; numbers as in the parent module.

use crate::accounts::{Account, OPENED_TIER, list0};
use crate::circuits::builder::{Bit, Builder, Digest, ZERO_WIRE};
use crate::circuits::gadgets::slots::bits32;
use crate::circuits::gadgets::{
    U64, active, add_all, add64, assert_eq_if, gate_u64, le64, select_or_constant, sum64, u64_constant, u64_witness,
    update,
};
use crate::circuits::state::Size;
use crate::circuits::state::layout::Witness;
use crate::circuits::state::statement::{Block, Entrant, Public, Receipt};
use crate::circuits::transaction::Transfer;
use crate::circuits::transfer::{AccountWires, Payment};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{bits32 as native_slot, empty, rep0, zero};
use crate::tags::Tag;

/// The values of one identity slot.
#[derive(Clone, Debug)]
pub struct IdentitySlot<F> {
    pub active: bool,
    pub entrant: Entrant<F>,
    /// BITS32 of the address.
    pub slot: u32,
    pub path: Vec<Native<F>>,
}

/// The values of one transfer slot.
#[derive(Clone, Debug)]
pub struct TransferSlot<F> {
    pub active: bool,
    pub transfer: Transfer<F>,
    pub receipt: Receipt<F>,
    pub receiver_balance_new: u64,
    /// BITS32 of the sender's address.
    pub sender_slot: u32,
    pub receiver_slot: u32,
}

/// Everything the circuit assigns; tests change single fields of it.
#[derive(Clone, Debug)]
pub struct Assignment<F> {
    pub public: Public<F>,
    pub identities: Vec<IdentitySlot<F>>,
    pub transfers: Vec<TransferSlot<F>>,
}

impl<F: CircuitField> IdentitySlot<F> {
    pub fn new(entrant: Entrant<F>, path: Vec<Native<F>>) -> Self {
        IdentitySlot { active: true, slot: native_slot(&entrant.addr), entrant, path }
    }

    fn inactive(depth: usize) -> Self {
        let entrant = Entrant { addr: zero(), commitment: zero() };
        IdentitySlot { active: false, ..Self::new(entrant, vec![zero(); depth]) }
    }
}

impl<F: CircuitField> TransferSlot<F> {
    pub fn new(transfer: Transfer<F>, receipt: Receipt<F>) -> Self {
        TransferSlot {
            active: true,
            // A receiver that overflows is refused by T13.
            receiver_balance_new: receipt.account.balance.wrapping_add(transfer.amount),
            sender_slot: native_slot(&transfer.from),
            receiver_slot: native_slot(&transfer.to),
            transfer,
            receipt,
        }
    }

    /// A payment of 1 that satisfies the value rules and nothing else.
    fn inactive(depth: usize) -> Self {
        let account = Account::fresh();
        let mut transfer = Transfer {
            from: zero(),
            to: zero(),
            amount: 1,
            fee: 0,
            nonce: 1,
            required_tier: 0,
            timestamp: 0,
            memo: zero(),
            leaf_old: zero(),
            leaf_new: zero(),
            m: zero(),
            total: 1,
            balance_new: 0,
            account: Account { balance: 1, ..account.clone() },
        };
        transfer.derive();
        let path = vec![zero(); depth];
        let receipt = Receipt { is_new: false, account, sender_path: path.clone(), receiver_path: path };
        TransferSlot { active: false, ..Self::new(transfer, receipt) }
    }
}

impl<F: CircuitField> Assignment<F> {
    /// Pads a witness to the circuit's size.
    pub fn new(witness: Witness<F>, size: &Size) -> Result<Self, ZkError> {
        let block = Block::of(&witness.statement)?;
        let public = block.public()?;
        let identities = block.identities.into_iter().zip(witness.identity_paths);
        let identities = identities.map(|(entrant, path)| IdentitySlot::new(entrant, path)).collect();
        let transfers = block.transfers.into_iter().zip(witness.receipts);
        let transfers =
            transfers.map(|(transfer, receipt)| TransferSlot::new(transfer, Receipt::of(receipt))).collect();
        let mut assignment = Assignment { public, identities, transfers };
        assignment.pad(size);
        Ok(assignment)
    }

    /// Fills the slots that are not used.
    pub fn pad(&mut self, size: &Size) {
        self.identities.resize(size.identities, IdentitySlot::inactive(size.depth));
        self.transfers.resize(size.transfers, TransferSlot::inactive(size.depth));
    }

    /// Records the circuit on these values.
    pub fn record(&self, b: &mut Builder<F>) {
        b.mark("T1");
        let public = self.public.wires(b);
        b.mark("S1");
        let flags = |active: Vec<bool>| active.iter().filter(|a| **a).count();
        let identities = flags(self.identities.iter().map(|s| s.active).collect());
        let transfers = flags(self.transfers.iter().map(|s| s.active).collect());
        let (identity_flags, id_count) = active(b, self.identities.len(), identities);
        let (transfer_flags, tx_count) = active(b, self.transfers.len(), transfers);
        b.assert_eq(id_count, public.id_count);
        b.assert_eq(tx_count, public.tx_count);
        let list = b.constant_digest(&list0());
        let mut id_list = Running { root: public.prev_root, list };
        for (slot, flag) in self.identities.iter().zip(identity_flags) {
            id_list = slot.record(b, flag, id_list, &public.block_time);
        }
        let mut tx_list = Running { root: id_list.root, list };
        let mut fees = Vec::with_capacity(self.transfers.len());
        for (slot, flag) in self.transfers.iter().zip(transfer_flags) {
            let fee = slot.record(b, flag, &mut tx_list, &public.block_time);
            fees.push(fee);
        }
        b.mark("S6");
        b.assert_digest_eq(&tx_list.list, &public.tx_list);
        b.mark("S7");
        b.assert_digest_eq(&id_list.list, &public.id_list);
        b.mark("S8");
        sum64(b, &fees, &public.fee_sum);
        b.mark("S9");
        b.assert_digest_eq(&tx_list.root, &public.new_root);
    }
}

/// The root and the list after the slots so far.
#[derive(Clone, Copy)]
struct Running {
    root: Digest,
    list: Digest,
}

impl Running {
    /// S1: what an active slot leads to, or a copy.
    fn step<F: CircuitField>(&self, b: &mut Builder<F>, active: Bit, root: &Digest, link: &Digest) -> Self {
        let list = b.compress(&self.list, link);
        b.mark("S1");
        Running { root: b.select_digest(active, &self.root, root), list: b.select_digest(active, &self.list, &list) }
    }
}

fn path_wires<F: CircuitField>(b: &mut Builder<F>, path: &[Native<F>]) -> Vec<Digest> {
    path.iter().map(|d| b.witness_digest(d)).collect()
}

impl<F: CircuitField> IdentitySlot<F> {
    /// S2 and S7.
    fn record(&self, b: &mut Builder<F>, active: Bit, before: Running, block_time: &U64) -> Running {
        b.mark("S2");
        let addr = b.witness_digest(&self.entrant.addr);
        let commitment = b.witness_digest(&self.entrant.commitment);
        let nothing = u64_constant(b, 0);
        let account = AccountWires {
            balance: nothing,
            nonce: nothing,
            stake: nothing,
            tier: b.constant(F::from_u64(u64::from(OPENED_TIER))),
            last_decay: *block_time,
            rep: b.hash(Tag::Rep, commitment.wires::<F>()),
        };
        let leaf = account.own_leaf(b, &addr);
        let vacant = b.constant_digest(&empty(Tag::Account));
        let bits = bits32(b, &addr, self.slot, self.path.len());
        let path = path_wires(b, &self.path);
        let (old, new) = update(b, vacant, leaf, &bits, &path);
        assert_eq_if(b, active, &old, &before.root);
        b.mark("S7");
        let link = b.hash(Tag::IdLink, &[addr.wires::<F>(), commitment.wires::<F>()].concat());
        before.step(b, active, &new, &link)
    }
}

impl<F: CircuitField> TransferSlot<F> {
    /// S3 to S6 and T1 to T15; returns the fee if the slot is active, else zero.
    fn record(&self, b: &mut Builder<F>, active: Bit, running: &mut Running, block_time: &U64) -> U64 {
        let t = &self.transfer;
        b.mark("T1");
        let payment = Payment {
            from: b.witness_digest(&t.from),
            to: b.witness_digest(&t.to),
            amount: u64_witness(b, t.amount),
            fee: u64_witness(b, t.fee),
            nonce: u64_witness(b, t.nonce),
            timestamp: u64_witness(b, t.timestamp),
            memo: b.witness_digest(&t.memo),
        };
        let sender = AccountWires::record(b, &t.account);
        let balance_new = u64_witness(b, t.balance_new);
        payment.debit(b, &sender, &balance_new, t.total);
        b.mark("T11");
        le64(b, &sender.last_decay, &payment.timestamp);
        payment.something(b);
        b.mark("S9");
        le64(b, &payment.timestamp, block_time);
        b.mark("S3");
        let leaf_old = sender.own_leaf(b, &payment.from);
        let leaf_new = sender.leaf(b, &payment.from, &balance_new, &payment.nonce);
        let bits = bits32(b, &payment.from, self.sender_slot, self.receipt.sender_path.len());
        let path = path_wires(b, &self.receipt.sender_path);
        let (old, between) = update(b, leaf_old, leaf_new, &bits, &path);
        assert_eq_if(b, active, &old, &running.root);
        let root = self.credit(b, active, &payment, &between);
        b.mark("S6");
        let message = payment.message(b);
        let link = [message.wires::<F>(), leaf_old.wires::<F>(), leaf_new.wires::<F>()];
        let link = b.hash(Tag::TxLink, &link.concat());
        *running = running.step(b, active, &root, &link);
        b.mark("S8");
        gate_u64(b, active, &payment.fee)
    }

    /// T12, T13 and S4: the receiver's side, from the root after the sender's. Returns the root after it.
    fn credit(&self, b: &mut Builder<F>, active: Bit, payment: &Payment, root: &Digest) -> Digest {
        b.mark("T1");
        let receiver = AccountWires::record(b, &self.receipt.account);
        let balance_new = u64_witness(b, self.receiver_balance_new);
        b.mark("T12");
        let is_new = b.bit(self.receipt.is_new);
        nothing_if(b, is_new, &receiver);
        let leaf_old = receiver.own_leaf(b, &payment.to);
        let existed = Bit(b.lin(&[(-F::ONE, is_new.0)], F::ONE));
        let leaf_old = select_or_constant(b, existed, &leaf_old, &empty(Tag::Account));
        b.mark("T13");
        add64(b, &receiver.balance, &payment.amount, &balance_new);
        let leaf_new = receiver.leaf(b, &payment.to, &balance_new, &receiver.nonce);
        b.mark("S4");
        let bits = bits32(b, &payment.to, self.receiver_slot, self.receipt.receiver_path.len());
        let path = path_wires(b, &self.receipt.receiver_path);
        let (old, new) = update(b, leaf_old, leaf_new, &bits, &path);
        assert_eq_if(b, active, &old, root);
        new
    }
}

/// T12: with `bit`, all numbers are zero and the reputation is REP0.
fn nothing_if<F: CircuitField>(b: &mut Builder<F>, bit: Bit, account: &AccountWires) {
    let numbers = [&account.balance, &account.nonce, &account.stake, &account.last_decay];
    let wires = numbers.into_iter().flat_map(|x| x.wires::<F>().to_vec()).chain([account.tier]);
    // Each is in range, so nothing wraps: sixteen limbs and a tier are below 2^21, on BN254 four u64 and a tier below 2^67.
    // The sum is zero only if all are.
    let sum = add_all(b, wires);
    b.assert_product(bit.0, sum, ZERO_WIRE);
    let rep0 = rep0::<F>();
    for (w, x) in account.rep.wires::<F>().iter().zip(rep0) {
        let z = F::ZERO;
        b.assert_gate(-x, bit.0, z, *w, F::ONE, z, ZERO_WIRE, z, ZERO_WIRE);
    }
}
