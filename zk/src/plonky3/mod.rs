//! Plonky3 over KoalaBear: a circuit as several tables on one LogUp bus, FRI over a degree-4 extension, Blake3.
//!
//! The ordinary commitment scheme does not hide: a proof shows that a statement is true, and may show its
//! witness too. No long-term secret is ever a witness of these circuits.

use p3_batch_stark::{BatchProof, ProverData};
use p3_field::PrimeField32;

use crate::backend::{Binding, ProofSystem, Security};
use crate::circuits::builder::{HashOp, Structure};
use crate::circuits::check::check;
use crate::error::{Reject, ZkError};
use crate::stark::layout::Layout;
use config::{Config, F, Parameters, Pcs};
use shape::Shape;
use tables::{Kind, Table};
use trace::Filler;

mod air;
mod challenger;
mod codec;
pub mod config;
mod permutation;
mod prove;
mod security;
mod shape;
mod tables;
mod trace;
mod verify;

#[cfg(test)]
mod tests;

type Proof = BatchProof<Config>;

/// Version of the constraints in [`air`] and [`permutation`], part of the key.
const AIR_VERSION: u32 = 1;

/// The keys of one circuit.
pub struct Plonky3 {
    /// Kept to check values before proving.
    structure: Structure<F>,
    tables: Vec<Table>,
    filler: Filler,
    pcs: Pcs,
    data: ProverData<Config>,
    shape: Shape,
    inputs: usize,
    /// Digest of the constraint description.
    description: [u8; 32],
    /// The commitment to the preprocessed columns.
    commitment: Vec<u8>,
}

impl ProofSystem for Plonky3 {
    type F = F;

    const NUMBER: u8 = 2;

    fn parameter_bytes(security: Security) -> Vec<u8> {
        Parameters::of(security).bytes()
    }

    fn keygen(structure: &Structure<F>, security: Security, _seed: [u8; 32]) -> Result<Self, ZkError> {
        Self::generate(structure, Parameters::of(security))
    }

    fn vk_bytes(&self) -> Vec<u8> {
        let mut out = self.description.to_vec();
        out.extend(self.dump());
        out
    }

    fn dump(&self) -> Vec<u8> {
        let mut out = AIR_VERSION.to_le_bytes().to_vec();
        out.extend((self.inputs as u32).to_le_bytes());
        out.push(self.tables.len() as u8);
        out.extend(self.tables.iter().map(|t| t.log_height as u8));
        out.extend(&self.commitment);
        out
    }

    fn load(structure: &Structure<F>, security: Security, bytes: &[u8]) -> Result<Self, ZkError> {
        // Recomputing is as fast as reading back the prover's part, and cannot be fed a wrong one.
        let key = Self::generate(structure, Parameters::of(security))?;
        if key.dump() == bytes {
            return Ok(key);
        }
        Err(ZkError::InvalidKeyEncoding("the key is of another circuit or version".into()))
    }

    fn prove(&self, values: &[F], binding: &Binding, _seed: [u8; 32]) -> Result<Vec<u8>, ZkError> {
        check(&self.structure, values)?;
        self.prove_traces(&self.traces(values), &self.filler.public(values), binding)
    }

    fn verify(&self, public: &[F], binding: &Binding, proof: &[u8]) -> Result<(), Reject> {
        self.check(public, binding, proof)
    }

    /// By the library's own calculator.
    fn security_bits(&self) -> (f64, f64) {
        security::security_bits(&self.shape)
    }

    fn sizes(&self) -> Vec<(&'static str, u64)> {
        let name = |kind| match kind {
            Kind::Arith { .. } => "arith_height",
            Kind::Swap => "swap_height",
            Kind::Perm => "perm_height",
            Kind::Range => "range_height",
            Kind::Public { .. } => "public_height",
        };
        let columns = self.shape.tables.iter().map(|t| t.columns() as u64).sum();
        let heights = self.tables.iter().map(|t| (name(t.kind), 1 << t.log_height));
        heights.chain([("columns", columns)]).collect()
    }
}

impl Plonky3 {
    pub(crate) fn generate(structure: &Structure<F>, parameters: Parameters) -> Result<Self, ZkError> {
        check_structure(structure)?;
        let layout = Layout::new(structure);
        let swaps = tables::swap_rows(&layout.swap);
        let tables = tables::tables(&layout, &swaps);
        let pcs = parameters.pcs();
        let log_heights: Vec<usize> = tables.iter().map(|t| t.log_height).collect();
        let data = ProverData::from_airs_and_degrees(&config::keygen_config(&pcs, &parameters), &tables, &log_heights)
            .map_err(|e| ZkError::ProverFailed(format!("{e:?}")))?;
        let shape = Shape::new(&tables, &data.common.lookups, parameters);
        let commitment = data.common.preprocessed.as_ref().map(|p| postcard::to_allocvec(&p.commitment));
        Ok(Plonky3 {
            structure: structure.clone(),
            description: describe(&tables, &data)?,
            commitment: commitment.transpose().map_err(encoding)?.unwrap_or_default(),
            inputs: layout.public.len(),
            filler: Filler::new(layout, swaps),
            tables,
            pcs,
            data,
            shape,
        })
    }

    /// The library's per-table public values: only one table has any.
    fn public_values(&self, public: &[F]) -> Vec<Vec<F>> {
        let of = |t: &Table| if matches!(t.kind, Kind::Public { .. }) { public.to_vec() } else { vec![] };
        self.tables.iter().map(of).collect()
    }
}

fn encoding(e: postcard::Error) -> ZkError {
    ZkError::InvalidKeyEncoding(e.to_string())
}

/// What the constraints and the bus rely on.
fn check_structure(structure: &Structure<F>) -> Result<(), ZkError> {
    if structure.wires >= F::ORDER_U32 {
        return Err(ZkError::Unsupported("more wires than the field has bus ids".into()));
    }
    let slots = 4 * structure.gates.len() + 5 * structure.swaps.len() + 24 * structure.hashes.len();
    if slots + structure.ranges.len() + structure.public.len() >= F::ORDER_U32 as usize {
        return Err(ZkError::Unsupported("more slots than a multiplicity can count".into()));
    }
    let mut continues = false;
    for op in &structure.hashes {
        let HashOp::Permutation { chain, .. } = op else {
            return Err(ZkError::Unsupported("a hash of another field".into()));
        };
        if *chain && !continues {
            return Err(ZkError::Unsupported("the first permutation continues nothing".into()));
        }
        continues = true;
    }
    Ok(())
}

/// Digest of everything that fixes the constraints: kinds, widths, heights, packed bus columns and all
/// preprocessed cells (gates, bus ids, multiplicities, flags).
fn describe(tables: &[Table], data: &ProverData<Config>) -> Result<[u8; 32], ZkError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"SIMNET-PLONKY3-AIR");
    hasher.update(&AIR_VERSION.to_le_bytes());
    for (table, lookups) in tables.iter().zip(&data.common.lookups) {
        let lookups = postcard::to_allocvec(lookups).map_err(encoding)?;
        hasher.update(format!("{:?} {} {}", table.kind, table.log_height, table.preprocessed.width).as_bytes());
        hasher.update(&(lookups.len() as u64).to_le_bytes());
        hasher.update(&lookups);
        for cell in &table.preprocessed.values {
            hasher.update(&cell.as_canonical_u32().to_le_bytes());
        }
    }
    Ok(hasher.finalize().into())
}
