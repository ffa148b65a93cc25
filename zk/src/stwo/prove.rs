//! Proving: fill the trace, commit, draw the lookup challenges, fill the LogUp columns, commit, open.

use stwo::core::channel::{Blake2sChannel, Channel};
use stwo::core::fields::m31::{M31, P};
use stwo::core::fields::qm31::QM31;
use stwo::core::proof::StarkProof;
use stwo::core::proof_of_work::GrindOps;
use stwo::core::utils::MaybeOwned;
use stwo::core::vcs_lifted::blake2_merkle::{Blake2sMerkleChannel, Blake2sMerkleHasher};
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::backend::simd::column::BaseColumn;
use stwo::prover::{CommitmentSchemeProver, ComponentProver};

use super::codec::{self, Parts};
use super::key::{Stwo, evaluations};
use super::lookup::Relations;
use super::tables::ByteCounts;
use super::transcript;
use crate::backend::Binding;
use crate::circuits::check::check;
use crate::error::ZkError;

pub type Scheme<'a> = CommitmentSchemeProver<'a, SimdBackend, Blake2sMerkleChannel>;
pub type Proof = StarkProof<Blake2sMerkleHasher>;
pub type Component = Box<dyn ComponentProver<SimdBackend>>;

/// Trace columns of every table.
pub type Trace = Vec<Vec<BaseColumn>>;

/// The steps that a cheating prover of the tests replaces.
pub trait Strategy {
    /// Looks at the tables' sums, which must cancel `public`.
    fn settle(&self, sums: &mut [QM31], public: QM31) -> Result<(), ZkError>;
    /// Makes the polynomial proof.
    fn open(
        &self,
        components: &[&dyn ComponentProver<SimdBackend>],
        channel: &mut Blake2sChannel,
        scheme: Scheme<'_>,
    ) -> Result<Proof, ZkError>;
}

/// The strategy of everyone who wants proofs that verify.
pub struct Honest;

impl Strategy for Honest {
    /// The library's prover never looks at the LogUp total: a broken wire would give a "successful" proof.
    fn settle(&self, sums: &mut [QM31], public: QM31) -> Result<(), ZkError> {
        let total = sums.iter().fold(public, |sum, s| sum + *s);
        if total != QM31::default() {
            return Err(ZkError::ConstraintViolation("the wires of the circuit disagree".into()));
        }
        Ok(())
    }

    fn open(
        &self,
        components: &[&dyn ComponentProver<SimdBackend>],
        channel: &mut Blake2sChannel,
        scheme: Scheme<'_>,
    ) -> Result<Proof, ZkError> {
        stwo::prover::prove(components, channel, scheme)
            .map_err(|_| ZkError::ConstraintViolation("a row of the circuit is not satisfied".into()))
    }
}

impl Stwo {
    /// The trace of these wire values, which have to satisfy the circuit. The proof alone would not tell in every
    /// case: wires asserted equal share their rows, so the value of one of them may be in no cell at all.
    pub(super) fn trace(&self, values: &[M31]) -> Result<Trace, ZkError> {
        if values.iter().any(|v| v.0 >= P) {
            return Err(ZkError::InvalidWitness("a value is not canonical".into()));
        }
        check(&self.structure, values)?;
        Ok(self.fill(values))
    }

    /// The trace of any values. Nothing here checks them.
    pub(super) fn fill(&self, values: &[M31]) -> Trace {
        let mut bytes = ByteCounts::default();
        self.tables.iter().map(|t| t.trace(values, &mut bytes)).collect()
    }

    /// The statement within these wire values.
    pub(super) fn statement(&self, values: &[M31]) -> Vec<M31> {
        self.structure.public.iter().map(|w| values[w.0 as usize]).collect()
    }

    /// Proves a trace for a statement.
    pub(super) fn prove_trace(
        &self,
        trace: &Trace,
        public: &[M31],
        binding: &Binding,
        strategy: &impl Strategy,
    ) -> Result<Vec<u8>, ZkError> {
        let mut channel = transcript::start(binding, &self.shape, public);
        let mut scheme = Scheme::with_memory_pool(self.shape.parameters.pcs(), &self.twiddles, &self.pool);
        // Otherwise the library evaluates out of the domain by Lagrange weights, which took 60 % of a proof's time.
        scheme.set_store_polynomials_coefficients();
        scheme.commit_tree(MaybeOwned::Borrowed(&self.tree), &mut channel);
        self.commit(&mut scheme, trace, &mut channel);
        let lookup_nonce = SimdBackend::grind(&channel, self.shape.parameters.lookup_pow);
        channel.mix_u64(lookup_nonce);
        let relations = Relations::draw(&mut channel);

        let (columns, mut sums) = self.interaction(trace, &relations);
        let public_sum = relations
            .public_sum(&self.public_slots, public)
            .ok_or_else(|| ZkError::ProverFailed("a lookup challenge hit a denominator".into()))?;
        strategy.settle(&mut sums, public_sum)?;
        channel.mix_felts(&sums);
        self.commit(&mut scheme, &columns, &mut channel);

        let components = self.components(&relations, &sums);
        let references: Vec<&dyn ComponentProver<SimdBackend>> = components.iter().map(|c| &**c).collect();
        let stark = strategy.open(&references, &mut channel, scheme)?;
        codec::encode(&Parts { lookup_nonce, sums, stark })
            .ok_or_else(|| ZkError::ProverFailed("an opened cell is not canonical".into()))
    }

    /// Commits to one tree of columns.
    fn commit(&self, scheme: &mut Scheme<'_>, columns: &Trace, channel: &mut Blake2sChannel) {
        let mut builder = scheme.tree_builder();
        let evals = self.shape.table_logs().into_iter().zip(columns).flat_map(|(log, c)| evaluations(log, c));
        builder.extend_evals(evals.collect());
        builder.commit(channel);
    }

    /// The LogUp columns and sums of all tables.
    fn interaction(&self, trace: &Trace, relations: &Relations<QM31>) -> (Trace, Vec<QM31>) {
        let tables = self.tables.iter().zip(&self.shape.tables).zip(self.fixed.iter().zip(trace));
        tables
            .map(|((table, shape), (fixed, columns))| {
                let interaction = table.interaction(fixed, &columns[..shape.shared], relations);
                (interaction.columns, interaction.sum)
            })
            .unzip()
    }

    /// The library's view of the tables.
    pub(super) fn components(&self, relations: &Relations<QM31>, sums: &[QM31]) -> Vec<Component> {
        let places = self.tables.iter().zip(&self.shape.places).zip(sums);
        places.map(|((table, place), sum)| table.component(*place, relations, *sum)).collect()
    }
}
