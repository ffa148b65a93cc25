//! Making a proof from filled tables.

use std::panic::{AssertUnwindSafe, catch_unwind};

use p3_batch_stark::{StarkInstance, prove_batch};
use p3_matrix::dense::RowMajorMatrix;

use super::config::{Config, F, proof_config};
use super::{Plonky3, Proof, codec};
use crate::backend::Binding;
use crate::error::ZkError;

impl Plonky3 {
    /// The main traces of the tables, in order. Nothing here checks the values.
    pub(super) fn traces(&self, values: &[F]) -> Vec<RowMajorMatrix<F>> {
        self.tables.iter().map(|t| self.filler.trace(t, values)).collect()
    }

    /// Proves whatever the traces say; false ones give a proof that the verifier refuses.
    pub(super) fn prove_traces(
        &self,
        traces: &[RowMajorMatrix<F>],
        public: &[F],
        binding: &Binding,
    ) -> Result<Vec<u8>, ZkError> {
        let config = proof_config(&self.pcs, &self.shape.parameters, binding, &self.shape.log_heights(), public);
        let instances: Vec<StarkInstance<'_, Config, _>> = self
            .tables
            .iter()
            .zip(traces)
            .zip(self.public_values(public))
            .map(|((air, trace), public_values)| StarkInstance { air, trace, public_values })
            .collect();
        // The library panics rather than fails where a caller broke its rules.
        let proof: Proof = catch_unwind(AssertUnwindSafe(|| prove_batch(&config, &instances, &self.data)))
            .map_err(|_| ZkError::ProverFailed("plonky3 panicked".into()))?
            .map_err(|e| ZkError::ProverFailed(format!("{e:?}")))?;
        codec::encode(&proof)
    }
}
