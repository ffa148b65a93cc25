//! Every numbered constraint of every circuit: a witness that breaks it has no proof, and a prover that skips the check
//! makes one that the verifier refuses.

use std::collections::BTreeSet;

use super::{Target, binding, forgeries, honest, statement};
use crate::backend::Security;
use crate::circuits::sample;
use crate::error::{Reject, ZkError};
use crate::field::CircuitField;
use crate::groth16::Groth16;
use crate::plonky3::Plonky3;
use crate::stwo::Stwo;

/// Which forgeries of a constraint are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    First,
    All,
}

fn refused<S: Target>(extent: Extent) {
    let binding = binding(S::NUMBER);
    for circuit in sample::circuits() {
        let (structure, values) = honest::<S::F>(&circuit);
        let system = S::keygen(&structure, Security::Standard, [1; 32]).expect("a circuit");
        let public = statement(&structure, &values);
        // The refusals below are the verifier's doing: the same provers are believed when they do not lie.
        for (how, proof) in system.cheat(&values, &public, &binding) {
            assert_eq!(system.verify(&public, &binding, &proof), Ok(()), "circuit {} told truly, {how}", circuit.id());
        }
        let mut seen = BTreeSet::new();
        let mut unheard = BTreeSet::new();
        for f in forgeries::of::<S::F>(&circuit).expect("every circuit of the list has forgeries") {
            let control = f.broken.is_empty();
            if control || (seen.contains(&f.broken) && extent == Extent::First) {
                continue;
            }
            let what = format!("circuit {}, {:?}: {}", circuit.id(), f.broken, f.what);
            let refusal = system.prove(&f.values, &binding, [2; 32]);
            assert!(matches!(refusal, Err(ZkError::ConstraintViolation(_))), "{what}: {refusal:?}");
            let claimed = statement(&f.structure, &f.values);
            let verdicts = system.cheat(&f.values, &claimed, &binding).into_iter();
            let verdicts = verdicts.map(|(how, proof)| (how, system.verify(&claimed, &binding, &proof)));
            let verdicts: Vec<_> = verdicts.collect();
            if S::F::WIDE && claimed == public && verdicts.iter().all(|(_, v)| v.is_ok()) {
                // R1CS computes linear wires, among them results of hashes, from others: a lie about one reaches no
                // proof, and this one is an honest proof of the true statement.
                unheard.insert(f.broken);
                continue;
            }
            for (how, verdict) in verdicts {
                let expected = [Err(Reject::ConstraintMismatch), Err(Reject::PairingMismatch)];
                assert!(expected.contains(&verdict), "{what}, {how}: {verdict:?}");
            }
            seen.insert(f.broken);
        }
        let only_unheard: Vec<_> = unheard.difference(&seen).collect();
        assert!(only_unheard.is_empty(), "circuit {}: no forgery reached a proof: {only_unheard:?}", circuit.id());
    }
}

#[test]
fn stwo_refuses_every_false_witness() {
    refused::<Stwo>(Extent::All);
}

#[test]
fn plonky3_refuses_every_false_witness() {
    refused::<Plonky3>(Extent::All);
}

#[test]
fn groth16_refuses_a_false_witness_of_every_constraint() {
    refused::<Groth16>(Extent::First);
}

#[test]
#[ignore = "nightly: a minute of Groth16 proofs"]
fn groth16_refuses_every_false_witness() {
    refused::<Groth16>(Extent::All);
}
