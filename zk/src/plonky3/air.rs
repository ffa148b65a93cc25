//! The constraints of every table, written once for the symbolic, proving and verifying builders.

use p3_air::{Air, BaseAir, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_lookup::{Count, InteractionBuilder};
use p3_matrix::dense::RowMajorMatrix;

use super::config::F;
use super::permutation;
use super::tables::{BYTE_BUS, GATE_PRE, Kind, PUBLIC_LANES, SWAP_LANES, Table, slot};

impl BaseAir<F> for Table {
    fn width(&self) -> usize {
        match self.kind {
            Kind::Arith { lanes } => 4 * lanes,
            Kind::Swap => 1 + 3 * SWAP_LANES,
            Kind::Perm => permutation::WIDTH,
            Kind::Range => 3,
            Kind::Public { .. } => 1,
        }
    }

    fn preprocessed_trace(&self) -> Option<RowMajorMatrix<F>> {
        Some((*self.preprocessed).clone())
    }

    fn preprocessed_width(&self) -> usize {
        self.preprocessed.width
    }

    fn main_next_row_columns(&self) -> Vec<usize> {
        match self.kind {
            Kind::Perm => (0..permutation::WIDTH).collect(),
            _ => vec![],
        }
    }

    fn preprocessed_next_row_columns(&self) -> Vec<usize> {
        vec![]
    }

    fn max_constraint_degree(&self) -> Option<usize> {
        // Degree 3 everywhere: a table of degree 2 would halve its quotient, yet pay with twice the bus columns.
        Some(3)
    }

    fn num_public_values(&self) -> usize {
        match self.kind {
            Kind::Public { inputs, .. } => inputs,
            _ => 0,
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for Table {
    fn eval(&self, builder: &mut AB) {
        match self.kind {
            Kind::Arith { lanes } => eval_arith(builder, lanes),
            Kind::Swap => eval_swap(builder),
            Kind::Perm => permutation::eval(builder),
            Kind::Range => eval_range(builder),
            Kind::Public { rows, inputs } => eval_public(builder, rows, inputs),
        }
    }
}

fn eval_arith<AB: InteractionBuilder<F = F>>(builder: &mut AB, lanes: usize) {
    let (main, pre) = (builder.main(), builder.preprocessed().clone());
    for lane in 0..lanes {
        let &[a, b, d, out] = main.current_slice()[4 * lane..].first_chunk().expect("four columns a lane");
        let pre = &pre.current_slice()[GATE_PRE * lane..][..GATE_PRE];
        let &[qa, qb, qm, qd, qc] = pre.first_chunk().expect("five coefficients");
        builder.assert_zero(qa * a + qb * b + qm * a * b + qd * d + qc - out);
        for (i, cell) in [a, b, d, out].into_iter().enumerate() {
            slot(builder, pre, 5 + 2 * i, cell.into());
        }
    }
}

fn eval_swap<AB: InteractionBuilder<F = F>>(builder: &mut AB) {
    let (main, pre) = (builder.main(), builder.preprocessed().clone());
    let (main, pre) = (main.current_slice(), pre.current_slice());
    let bit = main[0];
    slot(builder, pre, 0, bit.into());
    for lane in 0..SWAP_LANES {
        let &[x, y, l] = main[1 + 3 * lane..].first_chunk().expect("three columns a lane");
        builder.assert_zero(x + bit * (y - x) - l);
        let cells = [x.into(), y.into(), l.into(), x + y - l];
        for (i, cell) in cells.into_iter().enumerate() {
            slot(builder, pre, 2 + 8 * lane + 2 * i, cell);
        }
    }
}

fn eval_range<AB: InteractionBuilder<F = F>>(builder: &mut AB) {
    let (main, pre) = (builder.main(), builder.preprocessed().clone());
    let (main, pre) = (main.current_slice(), pre.current_slice());
    let (low, high, used) = (main[0], main[1], main[2]);
    slot(builder, pre, 1, high * F::from_u32(256) + low);
    builder.push_interaction(BYTE_BUS, [low], 1);
    builder.push_interaction(BYTE_BUS, [high], 1);
    builder.push_interaction(BYTE_BUS, [pre[0]], Count::provided(-used.into()));
}

/// The values sent are the verifier's own inputs, so no column holds them. The table's one main column,
/// which the library wants, is fixed to zero.
fn eval_public<AB: InteractionBuilder<F = F>>(builder: &mut AB, rows: usize, inputs: usize) {
    let (main, pre) = (builder.main(), builder.preprocessed().clone());
    let pre = pre.current_slice();
    let public = builder.public_values().to_vec();
    builder.assert_zero(main.current_slice()[0]);
    for lane in 0..PUBLIC_LANES {
        let picked = (lane..inputs).step_by(PUBLIC_LANES).enumerate();
        let value = picked.map(|(row, i)| pre[row] * public[i].into()).sum::<AB::Expr>();
        slot(builder, pre, rows + 2 * lane, value);
    }
}
