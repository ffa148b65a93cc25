//! What a pruning proof is about: the bytes of the statement, and the public inputs that follow.

use crate::circuits::codec::{Reader, whole};
use crate::circuits::pruning::Size;
use crate::error::ZkError;
use crate::field::{CircuitField, Native};
use crate::natives::{self, Elements, Header, empty, header_digest, root, zero};
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
    fn blank(height: u64, size: &Size) -> Self {
        let n = size.transactions;
        Block {
            height,
            state_root: zero(),
            timestamp: 0,
            transactions: vec![zero(); n],
            occupied: vec![false; n],
            removed: vec![false; n],
        }
    }

    fn read(r: &mut Reader<'_>, height: u64, size: &Size) -> Result<Self, ZkError> {
        let mut block = Self::blank(height, size);
        block.state_root = r.digest("state_root")?;
        block.timestamp = r.u64("timestamp")?;
        let count = r.count_from(0, size.transactions, "transactions of a block")?;
        for j in 0..count {
            block.transactions[j] = r.digest("transaction digest")?;
            block.removed[j] = r.flag("removed")?;
            block.occupied[j] = true;
        }
        Ok(block)
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
        whole(bytes, |r| Self::read(r, size))
    }

    fn read(r: &mut Reader<'_>, size: &Size) -> Result<Self, ZkError> {
        let first_parent = r.digest("first_parent")?;
        let start = r.u64("start_height")?;
        let (schema_version, parameter_version) = (r.u16("schema_version")?, r.u16("parameter_version")?);
        if start.checked_add(size.headers as u64).is_none() {
            return Err(ZkError::InvalidWitness(format!("start_height {start}: the window ends beyond 2^64")));
        }
        let blocks = (0..size.headers as u64).map(|i| Block::read(r, start + i, size)).collect::<Result<_, _>>()?;
        Ok(Window { first_parent, schema_version, parameter_version, blocks })
    }

    /// A window without a transaction. It has the structure of every other one.
    pub fn blank(size: &Size) -> Self {
        let blocks = (0..size.headers as u64).map(|i| Block::blank(i, size)).collect();
        Window { first_parent: zero(), schema_version: 0, parameter_version: 0, blocks }
    }

    /// The inverse of `parse`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = natives::digest_bytes(&self.first_parent).to_vec();
        out.extend(self.blocks[0].height.to_le_bytes());
        out.extend(self.schema_version.to_le_bytes());
        out.extend(self.parameter_version.to_le_bytes());
        for block in &self.blocks {
            out.extend(natives::digest_bytes(&block.state_root));
            out.extend(block.timestamp.to_le_bytes());
            out.extend(block.tx_count().to_le_bytes());
            for j in 0..usize::from(block.tx_count()) {
                out.extend(natives::digest_bytes(&block.transactions[j]));
                out.push(u8::from(block.removed[j]));
            }
        }
        out
    }

    /// The public inputs.
    pub fn public(&self, size: &Size) -> Public<F> {
        let (mut roots, mut pruned, mut digests) = (vec![], vec![], vec![]);
        let mut parent = self.first_parent;
        for block in &self.blocks {
            let [before, after] = block.leaves().map(|leaves| root(&leaves));
            parent = header_digest(&Header {
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

/// The public inputs, in order.
#[derive(Clone, Debug)]
pub struct Public<F> {
    pub previous_tx_root: Native<F>,
    pub pruned_tx_root: Native<F>,
    pub removed_count: u32,
    pub first_parent: Native<F>,
    pub last_header: Native<F>,
    pub start_height: u64,
    pub snapshot_root: Native<F>,
    pub snapshot_height: u64,
    pub schema_version: u16,
    pub parameter_version: u16,
    pub binding_digest: Native<F>,
    pub pruning_fold: Native<F>,
}

impl<F: CircuitField> Public<F> {
    pub fn vector(&self) -> Vec<F> {
        Elements::new()
            .digest(&self.previous_tx_root)
            .digest(&self.pruned_tx_root)
            .u32(self.removed_count)
            .digest(&self.first_parent)
            .digest(&self.last_header)
            .u64(self.start_height)
            .digest(&self.snapshot_root)
            .u64(self.snapshot_height)
            .small(self.schema_version)
            .small(self.parameter_version)
            .digest(&self.binding_digest)
            .digest(&self.pruning_fold)
            .0
    }
}
