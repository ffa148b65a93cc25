//! How long proving and verifying take, and how that compares with each library used bare.
//!
//! `cargo bench` prints criterion's figures, then one table: ours, the reference, their ratio, all from this run.
//! References prove less than ours (no bus between tables, no recording of a witness); what they show is how much of
//! a library's own speed is left. STWO's crates ship no
//! Poseidon2 component: the reference is one written with its constraint framework.

mod chain;
mod circuits;
mod groth16;
mod plonky3;
mod stwo;
mod table;

fn main() {
    let mut table = table::Table::new();
    circuits::stwo(&mut table);
    circuits::plonky3(&mut table);
    circuits::groth16(&mut table);
    stwo::permutations(&mut table);
    plonky3::permutations(&mut table);
    plonky3::example(&mut table);
    groth16::transaction(&mut table);
    groth16::consensus(&mut table);
    table.print();
}
