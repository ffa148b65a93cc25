//! The security level of a key's proofs.

use p3_security::fri::FriRegime;
use p3_security::grinding::GrindingSites;
use p3_security::logup::LOGUP_LABEL;
use p3_security::report::{ALI_LABEL, DEEP_LABEL};
use p3_security::shape::{InstanceShape, StarkAirParams};

use super::shape::Shape;
use crate::stark::security::Model;

/// log2 |QM31|, rounded down as the reports want it.
const FIELD_BITS: usize = 123;
/// Bits that a collision of 32-byte Blake2s digests takes.
const COLLISION_BITS: usize = 128;

/// This backend's proofs as the reports see them. FRI over the circle has the same error terms as over a coset.
pub fn model(shape: &Shape) -> Model {
    let p = &shape.parameters;
    let sum = |f: fn(&super::tables::TableShape) -> usize| shape.tables.iter().map(f).sum::<usize>();
    Model {
        fri: FriRegime {
            log_blowup: p.log_blowup as usize,
            num_queries: p.queries,
            log_final_poly_len: 0,
            max_log_arity: p.fold as usize,
            commit_pow_bits: 0,
            query_pow_bits: p.query_pow as usize,
        },
        air: StarkAirParams {
            num_constraints: sum(|t| t.constraints + t.batches),
            max_constraint_degree: 3,
            num_quotient_chunks: 2,
            max_combo: 2,
        },
        instance: InstanceShape {
            log_trace_length: shape.log_max as usize,
            modulus_bits: FIELD_BITS,
            collision_resistance: COLLISION_BITS,
            num_batched_functions: shape.samples.iter().flatten().sum(),
        },
        grinding: GrindingSites { lookup_challenge: p.lookup_pow as usize, ..GrindingSites::default() },
        terms: sum(|t| t.terms),
    }
}

/// Bits (conjectured, proven). Conjectured: the library's own figure, which counts queries and their grinding, capped
/// by what the field allows: the constraints' combination, the out-of-domain point and the bus.
pub fn security_bits(shape: &Shape) -> (f64, f64) {
    let model = model(shape);
    let of_the_field = |label: &str| [ALI_LABEL, DEEP_LABEL, LOGUP_LABEL].contains(&label);
    let report = model.conjectured();
    let caps = report.terms().iter().filter(|t| of_the_field(t.label)).map(|t| t.bits.bits());
    (caps.fold(f64::from(shape.parameters.pcs().security_bits()), f64::min), model.proven())
}
