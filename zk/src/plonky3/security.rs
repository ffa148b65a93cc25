//! The security level of a key's proofs, by the library's own reports.

use p3_batch_stark::num_batched_openings;
use p3_field::{BasedVectorSpace, Field};
use p3_security::grinding::GrindingSites;
use p3_security::shape::{InstanceShape, StarkAirParams};
use p3_uni_stark::OpeningShape;

use super::config::{EF, F};
use super::shape::Shape;
use crate::stark::security::Model;

pub fn model(shape: &Shape) -> Model {
    let tables = &shape.tables;
    let batched = tables.iter().map(|t| {
        let lookups = t.bus / <EF as BasedVectorSpace<F>>::DIMENSION - 1;
        let openings = OpeningShape::new();
        num_batched_openings(t.main, t.main_next, t.preprocessed, false, t.quotient_chunks, lookups, 4, openings)
    });
    let parameters = &shape.parameters;
    let fri = parameters.fri(());
    Model {
        fri: fri.security_regime(),
        air: StarkAirParams {
            num_constraints: tables.iter().map(|t| t.constraints).sum(),
            max_constraint_degree: 3,
            num_quotient_chunks: tables.iter().map(|t| t.quotient_chunks).max().unwrap_or(1),
            max_combo: 2,
        },
        instance: InstanceShape {
            log_trace_length: tables.iter().map(|t| t.log_height).max().unwrap_or(0),
            modulus_bits: EF::bits() - 1,
            collision_resistance: 128,
            num_batched_functions: batched.sum(),
        },
        grinding: GrindingSites {
            lookup_challenge: parameters.lookup_pow,
            out_of_domain: parameters.ood_pow,
            ..fri.grinding_sites()
        },
        terms: tables.iter().map(|t| t.interactions).sum(),
    }
}

/// Bits (conjectured, proven); the conjectured report is stricter than the older `queries × log blowup + grinding`.
pub fn security_bits(shape: &Shape) -> (f64, f64) {
    let model = model(shape);
    (model.conjectured().security_bits(), model.proven())
}
