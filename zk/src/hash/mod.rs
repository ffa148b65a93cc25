//! The hash native to each field: Poseidon2 over M31 and KoalaBear, circomlib's Poseidon over BN254.

mod bn254;
mod field31;
pub mod poseidon;
pub mod poseidon2;
