//! The two kinds of number a constraint is written over.
//!
//! Every constraint and lookup of a table is written once. The prover runs it on sixteen rows at a time
//! (`PackedM31`, challenges in `PackedQM31`), the verifier at one point out of the domain (`QM31` for both).

use std::ops::{Add, Mul, Sub};

use stwo::core::fields::m31::M31;
use stwo::core::fields::qm31::QM31;
use stwo::prover::backend::simd::m31::PackedM31;
use stwo::prover::backend::simd::qm31::PackedQM31;

/// The value of a cell.
pub trait Value:
    Copy
    + From<M31>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Add<M31, Output = Self>
    + Mul<M31, Output = Self>
{
}

impl Value for M31 {}
impl Value for PackedM31 {}
impl Value for QM31 {}

/// A value of the extension field over cells of type `V`.
pub trait Extension<V>:
    Copy
    + From<V>
    + From<QM31>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Add<V, Output = Self>
    + Mul<V, Output = Self>
{
    /// The value of four coordinate columns.
    fn from_coordinates(c: [V; 4]) -> Self;
}

impl Extension<PackedM31> for PackedQM31 {
    fn from_coordinates(c: [PackedM31; 4]) -> Self {
        PackedQM31::from_packed_m31s(c)
    }
}

impl Extension<QM31> for QM31 {
    fn from_coordinates(c: [QM31; 4]) -> Self {
        QM31::from_partial_evals(c)
    }
}
