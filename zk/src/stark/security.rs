//! Soundness of a STARK with a LogUp bus and FRI, by `p3-security`'s reports; both backends describe themselves to it.

use p3_security::fri::FriRegime;
use p3_security::grinding::GrindingSites;
use p3_security::logup::{LogUpAir, security_term};
use p3_security::report::{RegimeReport, SecurityTerm};
use p3_security::shape::{InstanceShape, StarkAirParams};
use p3_security::stark::{conjectured_security_report, proven_security_report};

/// What the soundness of one key's proofs depends on.
pub struct Model {
    pub fri: FriRegime,
    pub air: StarkAirParams,
    pub instance: InstanceShape,
    pub grinding: GrindingSites,
    /// LogUp terms of one row of every table, as if all were as high as the tallest: never too optimistic.
    pub terms: usize,
}

impl Model {
    fn bus(&self) -> Vec<SecurityTerm> {
        let bus = LogUpAir { num_interactions: self.terms, max_message_width: 2 };
        security_term(&bus, &self.instance, &self.grinding).into_iter().collect()
    }

    /// The "random words" regime up to list-decoding capacity: every term, the weakest of which counts.
    pub fn conjectured(&self) -> RegimeReport {
        conjectured_security_report(&self.fri, &self.air, &self.instance, &self.bus(), &self.grinding)
    }

    /// Bits of the better of unique and list decoding.
    pub fn proven(&self) -> f64 {
        let report = proven_security_report(&self.fri, &self.air, &self.instance, &self.bus(), &self.grinding);
        report.security_bits()
    }
}
