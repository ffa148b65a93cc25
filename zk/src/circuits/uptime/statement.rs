//! What an uptime proof is about: the bytes of the statement and the witness, and the public inputs that follow.

use crate::circuits::codec::{Reader, whole};
use crate::circuits::uptime::Size;
use crate::circuits::uptime::heartbeat::Heartbeat;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{Elements, address, digest_bytes, zero};
use crate::tags::Tag;

/// The statement: what every node knows when it verifies. Times in seconds.
#[derive(Clone, Debug)]
pub struct Statement<F> {
    pub public_key: [u8; 32],
    pub node_clock: u64,
    pub epoch: u64,
    pub head_hash: Native<F>,
    pub window_start: u64,
    pub window_end: u64,
    pub identity_root: Native<F>,
    pub heartbeat_root: Native<F>,
    pub threshold: u16,
    pub count: u16,
}

impl<F: CircuitField> Statement<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        whole(bytes, |r| Self::read(r, size))
    }

    fn read(r: &mut Reader<'_>, size: &Size) -> Result<Self, ZkError> {
        Ok(Statement {
            public_key: r.bytes32("public_key")?,
            node_clock: r.u64("node_clock")?,
            epoch: r.u64("epoch")?,
            head_hash: r.digest("head_hash")?,
            window_start: r.u64("window_start")?,
            window_end: r.u64("window_end")?,
            identity_root: r.digest("identity_root")?,
            heartbeat_root: r.digest("heartbeat_root")?,
            threshold: r.u16("threshold")?,
            count: r.count_from(0, size.heartbeats, "heartbeats")? as u16,
        })
    }

    /// The inverse of `parse`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.public_key.to_vec();
        out.extend([self.node_clock, self.epoch].map(u64::to_le_bytes).concat());
        out.extend(digest_bytes(&self.head_hash));
        out.extend([self.window_start, self.window_end].map(u64::to_le_bytes).concat());
        out.extend(digest_bytes(&self.identity_root));
        out.extend(digest_bytes(&self.heartbeat_root));
        out.extend([self.threshold, self.count].map(u16::to_le_bytes).concat());
        out
    }

    /// The public inputs.
    pub fn public(&self) -> Public<F> {
        let addr = address(&self.public_key);
        let commitment = Elements::new()
            .digest(&addr)
            .u64(self.window_start)
            .u64(self.window_end)
            .u64(self.epoch)
            .small(self.count)
            .digest(&self.heartbeat_root)
            .hash(Tag::Uptime);
        Public {
            addr,
            node_clock: self.node_clock,
            epoch: self.epoch,
            head_hash: self.head_hash,
            window_start: self.window_start,
            window_end: self.window_end,
            commitment,
            identity_root: self.identity_root,
            heartbeat_root: self.heartbeat_root,
            threshold: self.threshold,
            count: self.count,
        }
    }
}

/// The public inputs, in order.
#[derive(Clone, Debug)]
pub struct Public<F> {
    pub addr: Native<F>,
    pub node_clock: u64,
    pub epoch: u64,
    pub head_hash: Native<F>,
    pub window_start: u64,
    pub window_end: u64,
    pub commitment: Native<F>,
    pub identity_root: Native<F>,
    pub heartbeat_root: Native<F>,
    pub threshold: u16,
    pub count: u16,
}

impl<F: CircuitField> Public<F> {
    pub fn vector(&self) -> Vec<F> {
        Elements::new()
            .digest(&self.addr)
            .u64(self.node_clock)
            .u64(self.epoch)
            .digest(&self.head_hash)
            .u64(self.window_start)
            .u64(self.window_end)
            .digest(&self.commitment)
            .digest(&self.identity_root)
            .digest(&self.heartbeat_root)
            .small(self.threshold)
            .small(self.count)
            .0
    }
}

/// Everything an uptime proof is made from.
#[derive(Clone, Debug)]
pub struct Witness<F> {
    pub statement: Statement<F>,
    pub id_commitment: Native<F>,
    /// Siblings of the address's slot, leaf to root.
    pub id_path: Vec<Native<F>>,
    pub heartbeats: Vec<Heartbeat<F>>,
}

impl<F: CircuitField> Witness<F> {
    /// A false witness without a heartbeat. It has the structure of every other one.
    pub fn blank(size: &Size) -> Self {
        let statement = Statement {
            public_key: [0; 32],
            node_clock: 0,
            epoch: 0,
            head_hash: zero(),
            window_start: 0,
            window_end: 0,
            identity_root: zero(),
            heartbeat_root: zero(),
            threshold: 0,
            count: 0,
        };
        Witness { statement, id_commitment: zero(), id_path: vec![zero(); size.depth], heartbeats: vec![] }
    }

    /// Parses the statement and what follows it.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        whole(bytes, |r| {
            let statement = Statement::read(r, size)?;
            let id_commitment = r.digest("identity commitment")?;
            let id_path = r.path("identity path", size.depth)?;
            let heartbeats = (0..statement.count).map(|_| heartbeat(r, size)).collect::<Result<_, _>>()?;
            Ok(Witness { statement, id_commitment, id_path, heartbeats })
        })
    }

    /// The inverse of `parse`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.statement.to_bytes();
        out.extend(digest_bytes(&self.id_commitment));
        self.id_path.iter().for_each(|d| out.extend(digest_bytes(d)));
        for h in &self.heartbeats {
            out.extend(h.t.to_le_bytes());
            out.extend(digest_bytes(&h.head));
            out.extend(digest_bytes(&h.signature));
            out.extend(h.index.to_le_bytes());
            h.path.iter().for_each(|d| out.extend(digest_bytes(d)));
        }
        out
    }
}

fn heartbeat<F: CircuitField>(r: &mut Reader<'_>, size: &Size) -> Result<Heartbeat<F>, ZkError> {
    let (t, head, signature) = (r.u64("heartbeat time")?, r.digest("heartbeat head")?, r.digest("signature digest")?);
    let index = r.u32("heartbeat index")?;
    if index >> size.log_depth != 0 {
        return Err(ZkError::InvalidWitness(format!("heartbeat index {index}: the log has depth {}", size.log_depth)));
    }
    Ok(Heartbeat { t, head, signature, index, path: r.path("heartbeat path", size.log_depth)? })
}
