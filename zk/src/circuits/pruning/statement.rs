//! What a pruning proof is about: the bytes of the statement, and the public inputs that follow.

use crate::circuits::layout::Codec;
use crate::circuits::pruning::Size;
pub use crate::circuits::pruning::layout::Public;
use crate::circuits::pruning::layout::{Header, Statement, Transaction};
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, Elements, empty, header_digest, root, zero};
use crate::tags::Tag;

/// `TOMB = H[TOMBSTONE](0)`: what a removed transaction leaves behind.
pub fn tombstone<F: CircuitField>() -> Native<F> {
    Elements::new().small(0).hash(Tag::Tombstone)
}

/// One header of the window with its transactions, padded to the size of the tree.
#[derive(Clone, Debug)]
pub struct Block<F> {
    pub height: u64,
    pub state_root: Native<F>,
    pub timestamp: u64,
    /// Digests m in list order; anything where not occupied.
    pub transactions: Vec<Native<F>>,
    pub occupied: Vec<bool>,
    pub removed: Vec<bool>,
}

impl<F: CircuitField> Block<F> {
    /// Padded to the circuit's size.
    fn of(header: &Header<F>, height: u64, size: &Size) -> Self {
        let listed = &header.transactions;
        let padding = size.transactions - listed.len();
        let flags =
            |flag: fn(&Transaction<F>) -> bool| [listed.iter().map(flag).collect(), vec![false; padding]].concat();
        Block {
            height,
            state_root: header.state_root,
            timestamp: header.timestamp,
            transactions: [listed.iter().map(|t| t.digest).collect(), vec![zero(); padding]].concat(),
            occupied: flags(|_| true),
            removed: flags(|t| t.removed),
        }
    }

    fn header(&self) -> Header<F> {
        let listed = self.transactions.iter().zip(&self.removed).take(usize::from(self.tx_count()));
        Header {
            state_root: self.state_root,
            timestamp: self.timestamp,
            transactions: listed.map(|(digest, removed)| Transaction { digest: *digest, removed: *removed }).collect(),
        }
    }

    pub fn tx_count(&self) -> u16 {
        self.occupied.iter().filter(|o| **o).count() as u16
    }

    /// The leaves before and after the removal.
    fn leaves(&self) -> [Vec<Native<F>>; 2] {
        let (padding, tomb) = (empty(Tag::Tx), tombstone());
        let occupied = self.transactions.iter().zip(&self.occupied);
        let before: Vec<Native<F>> = occupied.map(|(m, o)| if *o { *m } else { padding }).collect();
        let after = before.iter().zip(&self.removed).map(|(leaf, r)| if *r { tomb } else { *leaf }).collect();
        [before, after]
    }
}

/// The statement, which is its own witness.
#[derive(Clone, Debug)]
pub struct Window<F> {
    pub first_parent: Native<F>,
    pub schema_version: u16,
    pub parameter_version: u16,
    pub blocks: Vec<Block<F>>,
}

impl<F: CircuitField> Window<F> {
    /// Parses a whole statement.
    pub fn parse(bytes: &[u8], size: &Size) -> Result<Self, ZkError> {
        let s = Statement::parse(bytes, size)?;
        let start = s.start_height;
        if start.checked_add(size.headers as u64).is_none() {
            return Err(ZkError::InvalidWitness(format!("start_height {start}: the window ends beyond 2^64")));
        }
        Ok(Window {
            first_parent: s.first_parent,
            schema_version: s.schema_version,
            parameter_version: s.parameter_version,
            blocks: s.headers.iter().zip(start..).map(|(header, height)| Block::of(header, height, size)).collect(),
        })
    }

    /// The inverse of `parse`, but for the bytes.
    pub fn statement(&self) -> Statement<F> {
        Statement {
            first_parent: self.first_parent,
            start_height: self.blocks[0].height,
            schema_version: self.schema_version,
            parameter_version: self.parameter_version,
            headers: self.blocks.iter().map(Block::header).collect(),
        }
    }

    /// The public inputs.
    pub fn public(&self, size: &Size) -> Public<F> {
        let (mut roots, mut pruned, mut digests) = (vec![], vec![], vec![]);
        let mut parent = self.first_parent;
        for block in &self.blocks {
            let [before, after] = block.leaves().map(|leaves| root(&leaves));
            parent = header_digest(&natives::Header {
                parent,
                height: block.height,
                state_root: block.state_root,
                tx_root: before,
                timestamp: block.timestamp,
                tx_count: block.tx_count(),
            });
            roots.push(before);
            pruned.push(after);
            digests.push(parent);
        }
        let (first, last) = (&self.blocks[0], &self.blocks[size.headers - 1]);
        let segments = self.segments(size, &pruned, &digests);
        let binding_digest = self.envelope(last, &root(&segments));
        let fold = |acc: Native<F>, x: &Native<F>| F::compress(&acc, x);
        Public {
            previous_tx_root: root(&segment_roots(&roots, size)),
            pruned_tx_root: root(&segment_roots(&pruned, size)),
            removed_count: self.blocks.iter().flat_map(|b| &b.removed).filter(|r| **r).count() as u32,
            first_parent: self.first_parent,
            last_header: parent,
            start_height: first.height,
            snapshot_root: last.state_root,
            snapshot_height: last.height,
            schema_version: self.schema_version,
            parameter_version: self.parameter_version,
            binding_digest,
            pruning_fold: [&[binding_digest], segments.as_slice()].concat().iter().fold(zero(), fold),
        }
    }

    fn segments(&self, size: &Size, pruned: &[Native<F>], digests: &[Native<F>]) -> Vec<Native<F>> {
        let length = size.headers / size.segments;
        let roots = segment_roots(pruned, size);
        let segment = |(i, (blocks, inner)): (usize, (&[Block<F>], &Native<F>))| {
            Elements::new()
                .small(i as u16)
                .u64(blocks[0].height)
                .u64(blocks[length - 1].height)
                .digest(&digests[(i + 1) * length - 1])
                .digest(inner)
                .hash(Tag::Segment)
        };
        self.blocks.chunks_exact(length).zip(&roots).enumerate().map(segment).collect()
    }

    fn envelope(&self, last: &Block<F>, commitment: &Native<F>) -> Native<F> {
        Elements::new()
            .small(self.schema_version)
            .small(self.parameter_version)
            .u64(last.height)
            .digest(&last.state_root)
            .digest(commitment)
            .hash(Tag::Envelope)
    }
}

/// ROOT of each segment's part of the blocks' roots.
fn segment_roots<F: CircuitField>(roots: &[Native<F>], size: &Size) -> Vec<Native<F>> {
    roots.chunks_exact(size.headers / size.segments).map(root).collect()
}
