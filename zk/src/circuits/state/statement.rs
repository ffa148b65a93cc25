//! What a state proof is about: the bytes of the statement and the witness, and the public inputs that follow.

use crate::accounts::{Account, chain, identity_link};
use crate::circuits::codec::{Reader, whole};
use crate::circuits::state::Size;
use crate::circuits::transaction::Transfer;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, address, zero};

/// An identity that a block inserts.
#[derive(Clone, Debug)]
pub struct Entrant<F> {
    pub addr: Native<F>,
    pub commitment: Native<F>,
}

/// The statement: what every node knows when it verifies.
#[derive(Clone, Debug)]
pub struct Statement<F> {
    pub prev_root: Native<F>,
    pub new_root: Native<F>,
    pub block_time: u64,
    pub identities: Vec<Entrant<F>>,
    pub transfers: Vec<Transfer<F>>,
}

impl<F: CircuitField> Statement<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        whole(bytes, |r| Self::read(r, size))
    }

    fn read(r: &mut Reader<'_>, size: &Size) -> Result<Self, ZkError> {
        let (prev_root, new_root) = (r.digest("prev_state_root")?, r.digest("new_state_root")?);
        let block_time = r.u64("block_time")?;
        let n = r.count_from(0, size.identities, "number of identities")?;
        let identities = (0..n)
            .map(|_| Ok(Entrant { addr: address(&r.bytes32("public_key")?), commitment: r.digest("commitment")? }))
            .collect::<Result<_, ZkError>>()?;
        let n = r.count_from(0, size.transfers, "number of transfers")?;
        let transfers = (0..n).map(|_| Transfer::read(r)).collect::<Result<_, _>>()?;
        Ok(Statement { prev_root, new_root, block_time, identities, transfers })
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

/// The public inputs, in order.
#[derive(Clone, Debug)]
pub struct Public<F> {
    pub prev_root: Native<F>,
    pub new_root: Native<F>,
    pub tx_count: u16,
    pub tx_list: Native<F>,
    pub fee_sum: u64,
    pub id_list: Native<F>,
    pub id_count: u16,
    pub block_time: u64,
}

impl<F: CircuitField> Public<F> {
    pub fn vector(&self) -> Vec<F> {
        Elements::new()
            .digest(&self.prev_root)
            .digest(&self.new_root)
            .small(self.tx_count)
            .digest(&self.tx_list)
            .u64(self.fee_sum)
            .digest(&self.id_list)
            .small(self.id_count)
            .u64(self.block_time)
            .0
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
    fn read(r: &mut Reader<'_>, depth: usize) -> Result<Self, ZkError> {
        Ok(Receipt {
            is_new: r.flag("r_is_new")?,
            account: Account::read_digested(r)?,
            sender_path: r.path("sender path", depth)?,
            receiver_path: r.path("receiver path", depth)?,
        })
    }
}

/// Everything a state proof is made from.
#[derive(Clone, Debug)]
pub struct Witness<F> {
    pub statement: Statement<F>,
    /// One for each identity.
    pub identity_paths: Vec<Vec<Native<F>>>,
    /// One for each transfer.
    pub receipts: Vec<Receipt<F>>,
}

impl<F: CircuitField> Witness<F> {
    /// A block that does nothing. It has the structure of every other one.
    pub fn nothing() -> Self {
        let z = zero();
        let statement = Statement { prev_root: z, new_root: z, block_time: 0, identities: vec![], transfers: vec![] };
        Witness { statement, identity_paths: vec![], receipts: vec![] }
    }

    /// Parses the statement and what follows it.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        whole(bytes, |r| {
            let statement = Statement::read(r, size)?;
            let identity_path = |_| r.path("identity path", size.depth);
            let identity_paths = statement.identities.iter().map(identity_path).collect::<Result<_, _>>()?;
            let receipts =
                statement.transfers.iter().map(|_| Receipt::read(r, size.depth)).collect::<Result<_, _>>()?;
            Ok(Witness { statement, identity_paths, receipts })
        })
    }
}
