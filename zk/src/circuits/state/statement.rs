//! What a state proof is about, with what follows from its bytes, and the public inputs.

use crate::accounts::{Account, chain, identity_link};
pub use crate::circuits::state::layout::Public;
use crate::circuits::state::layout::{self, Statement};
use crate::circuits::transaction::Transfer;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::address;

/// An identity that a block inserts.
#[derive(Clone, Debug)]
pub struct Entrant<F> {
    pub addr: Native<F>,
    pub commitment: Native<F>,
}

/// A statement with addresses and leaves.
#[derive(Clone, Debug)]
pub struct Block<F> {
    pub prev_root: Native<F>,
    pub new_root: Native<F>,
    pub block_time: u64,
    pub identities: Vec<Entrant<F>>,
    pub transfers: Vec<Transfer<F>>,
}

impl<F: CircuitField> Block<F> {
    /// Fails where a transfer has no new leaf.
    pub fn of(s: &Statement<F>) -> Result<Self, ZkError> {
        let entrant = |i: &layout::Entrant<F>| Entrant { addr: address(&i.public_key), commitment: i.commitment };
        Ok(Block {
            prev_root: s.prev_state_root,
            new_root: s.new_state_root,
            block_time: s.block_time,
            identities: s.identities.iter().map(entrant).collect(),
            transfers: s.transfers.iter().map(Transfer::of).collect::<Result<_, _>>()?,
        })
    }

    /// The public inputs. Fails only when the fees do not sum in a u64.
    pub fn public(&self) -> Result<Public<F>, ZkError> {
        let overflow = || ZkError::AmountOutOfRange("sum of fees".into());
        let add = |sum: u64, t: &Transfer<F>| sum.checked_add(t.fee);
        Ok(Public {
            prev_root: self.prev_root,
            new_root: self.new_root,
            tx_count: self.transfers.len() as u16,
            tx_list: chain(self.transfers.iter().map(Transfer::link)),
            fee_sum: self.transfers.iter().try_fold(0, add).ok_or_else(overflow)?,
            id_list: chain(self.identities.iter().map(|i| identity_link(&i.addr, &i.commitment))),
            id_count: self.identities.len() as u16,
            block_time: self.block_time,
        })
    }
}

/// The receiver's side of a transfer, and the paths.
#[derive(Clone, Debug)]
pub struct Receipt<F> {
    pub is_new: bool,
    /// Before the transfer.
    pub account: Account<F>,
    /// Siblings of the sender's slot, leaf to root.
    pub sender_path: Vec<Native<F>>,
    /// Siblings of the receiver's slot after the sender's update.
    pub receiver_path: Vec<Native<F>>,
}

impl<F: CircuitField> Receipt<F> {
    pub fn of(receipt: layout::Receipt<F>) -> Self {
        let layout::Receiver { balance, nonce, stake, tier, last_decay, rep } = receipt.receiver;
        Receipt {
            is_new: receipt.r_is_new,
            account: Account { balance, nonce, stake, tier: u16::from(tier), last_decay, rep },
            sender_path: receipt.sender_path,
            receiver_path: receipt.receiver_path,
        }
    }
}
