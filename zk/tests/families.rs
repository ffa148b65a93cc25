//! Every numbered constraint of the identity and state circuits stops a witness that breaks it alone, in every field.

mod forgeries;

use ark_bn254::Fr;
use p3_koala_bear::KoalaBear;
use simnet_zk::circuits::Circuit;
use simnet_zk::circuits::check::violated;
use simnet_zk::field::CircuitField;
use stwo::core::fields::m31::M31;

fn each_breaks_its_constraint<F: CircuitField>(circuit: Circuit) {
    let structure = circuit.structure::<F>().unwrap();
    let mut unexpected = vec![];
    for forgery in forgeries::of::<F>(&circuit).expect("a table") {
        assert!(forgery.structure == structure, "{}: another circuit", forgery.what);
        let broken: Vec<_> = violated(&structure, &forgery.values).into_iter().collect();
        if broken != forgery.broken {
            unexpected.push((forgery.what, broken));
        }
    }
    assert!(unexpected.is_empty(), "{unexpected:?}");
}

fn in_all_fields(circuit: Circuit) {
    each_breaks_its_constraint::<M31>(circuit);
    each_breaks_its_constraint::<KoalaBear>(circuit);
    each_breaks_its_constraint::<Fr>(circuit);
}

#[test]
fn identity() {
    in_all_fields(Circuit::Identity(forgeries::identity::SIZE));
}

#[test]
fn state() {
    in_all_fields(Circuit::State(forgeries::state::SIZE));
}
