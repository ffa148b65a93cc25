//! A cheating prover: any trace, any statement, any claimed sums, and none of the final checks.

use stwo::core::channel::{Blake2sChannel, Channel};
use stwo::core::circle::CirclePoint;
use stwo::core::fields::qm31::QM31;
use stwo::core::proof::StarkProof;
use stwo::prover::backend::simd::SimdBackend;
use stwo::prover::{ComponentProver, ComponentProvers};

use super::super::prove::{Proof, Scheme, Strategy};
use super::{M31, Stwo};
use crate::backend::Binding;
use crate::error::ZkError;

/// What the cheater does about the LogUp total.
pub enum Sums {
    /// Claims what the columns add up to.
    True,
    /// Claims, for the first table, whatever makes the total zero.
    Balanced,
    /// Moves an amount from one table to another; the total stays.
    Moved,
}

pub struct Cheat(pub Sums);

impl Strategy for Cheat {
    fn settle(&self, sums: &mut [QM31], public: QM31) -> Result<(), ZkError> {
        match self.0 {
            Sums::True => {}
            Sums::Balanced => sums[0] -= sums.iter().fold(public, |total, s| total + *s),
            Sums::Moved => {
                sums[0] += QM31::from(1u32);
                sums[1] -= QM31::from(1u32);
            }
        }
        Ok(())
    }

    /// The library's `prove_ex` without its own look at the result.
    fn open(
        &self,
        components: &[&dyn ComponentProver<SimdBackend>],
        channel: &mut Blake2sChannel,
        mut scheme: Scheme<'_>,
    ) -> Result<Proof, ZkError> {
        let provers = ComponentProvers {
            components: components.to_vec(),
            n_preprocessed_columns: scheme.trees[0].polynomials.len(),
        };
        let coefficient = channel.draw_secure_felt();
        let blowup = scheme.config.fri_config.log_blowup_factor;
        let composition = provers.compute_composition_polynomial(coefficient, &scheme.trace(), scheme.twiddles, blowup);
        let (left, right) = composition.split_at_mid();
        let mut builder = scheme.tree_builder();
        builder.extend_polys(left.into_coordinate_polys());
        builder.extend_polys(right.into_coordinate_polys());
        builder.commit(channel);
        let point = CirclePoint::<QM31>::get_random_point(channel);
        let log = scheme.trees[3].commitment.layers.len() as u32 - 1 - blowup;
        let mut points = provers.components().mask_points(point, log, false);
        points.push(vec![vec![point]; 8]);
        Ok(StarkProof(scheme.prove_values(points, channel).proof))
    }
}

/// Every way to lie about the bus that leaves a proof of the right shape.
pub fn proofs(key: &Stwo, values: &[M31], public: &[M31], binding: &Binding) -> Vec<(&'static str, Vec<u8>)> {
    let trace = key.fill(values);
    let proof = |sums| key.prove_trace(&trace, public, binding, &Cheat(sums)).expect("cheaters always finish");
    vec![("true sums", proof(Sums::True)), ("balanced sums", proof(Sums::Balanced))]
}
