//! The security level of a key's proofs, by the library's own reports.

use p3_batch_stark::num_batched_openings;
use p3_field::{BasedVectorSpace, Field};
use p3_security::grinding::GrindingSites;
use p3_security::logup::{LogUpAir, security_term};
use p3_security::shape::{InstanceShape, StarkAirParams};
use p3_security::stark::{conjectured_security_report, proven_security_report};
use p3_uni_stark::OpeningShape;

use super::config::{EF, F, LOOKUP_POW_BITS, fri_parameters};
use super::shape::Shape;

/// Bits (conjectured, proven). Conjectured is the "random words" regime up to list-decoding capacity, which is
/// stricter than the older `queries × log blowup + grinding`; proven is the better of unique and list decoding.
pub fn security_bits(shape: &Shape) -> (f64, f64) {
    let tables = &shape.tables;
    let batched = tables.iter().map(|t| {
        let lookups = t.bus / <EF as BasedVectorSpace<F>>::DIMENSION - 1;
        let openings = OpeningShape::new();
        num_batched_openings(t.main, t.main_next, t.preprocessed, false, t.quotient_chunks, lookups, 4, openings)
    });
    let instance = InstanceShape {
        log_trace_length: tables.iter().map(|t| t.log_height).max().unwrap_or(0),
        modulus_bits: EF::bits() - 1,
        collision_resistance: 128,
        num_batched_functions: batched.sum(),
    };
    let air = StarkAirParams {
        num_constraints: tables.iter().map(|t| t.constraints).sum(),
        max_constraint_degree: 3,
        num_quotient_chunks: tables.iter().map(|t| t.quotient_chunks).max().unwrap_or(1),
        max_combo: 2,
    };
    let fri = fri_parameters(());
    let sites = GrindingSites { lookup_challenge: LOOKUP_POW_BITS, ..fri.grinding_sites() };
    // As if every table were as high as the tallest: never too optimistic.
    let bus = LogUpAir { num_interactions: tables.iter().map(|t| t.interactions).sum(), max_message_width: 2 };
    let extras: Vec<_> = security_term(&bus, &instance, &sites).into_iter().collect();
    let regime = fri.security_regime();
    let conjectured = conjectured_security_report(&regime, &air, &instance, &extras, &sites);
    let proven = proven_security_report(&regime, &air, &instance, &extras, &sites);
    (conjectured.security_bits(), proven.security_bits())
}
