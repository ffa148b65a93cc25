//! The Poseidon2 table: one permutation a row, with what a sponge and a compression need around it.
//!
//! Columns: the 164 of `p3-poseidon2-air` (input `x`, state after every full round, S-box outputs of the
//! partial rounds), then `absorbed[8]` (what the bus sees of the first half of the input) and `out[8]`.
//! The previous row's permutation reaches a chained row by a transition constraint; the first row is never
//! chained, so the wrap-around from the last row is harmless and needs no selector.

use std::borrow::Borrow;

use p3_air::{AirBuilder, WindowAccess};
use p3_field::PrimeCharacteristicRing;
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear as Linear, KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL, KOALABEAR_POSEIDON2_RC_16_INTERNAL,
};
use p3_lookup::InteractionBuilder;
use p3_matrix::dense::RowMajorMatrix;
use p3_poseidon2::GenericPoseidon2LinearLayers;
use p3_poseidon2_air::{FullRound, Poseidon2Cols, RoundConstants, generate_trace_rows, num_cols};

use super::config::F;
use super::tables::{PERM_CHAIN_NEXT, PERM_FEED_FORWARD, slot};

const CORE: usize = num_cols::<16, 3, 0, 4, 20>();
/// Columns of the table.
pub const WIDTH: usize = CORE + 16;

type Cols<T> = Poseidon2Cols<T, 16, 3, 0, 4, 20>;

/// One row of the table, split into its parts.
struct Row<'a, T> {
    core: &'a Cols<T>,
    absorbed: &'a [T],
    out: &'a [T],
}

impl<'a, T> Row<'a, T> {
    fn new(row: &'a [T]) -> Self {
        let (core, rest) = row.split_at(CORE);
        let (absorbed, out) = rest.split_at(8);
        Row { core: core.borrow(), absorbed, out }
    }

    fn permuted(&self) -> &'a [T; 16] {
        &self.core.ending_full_rounds[3].post
    }
}

/// The constraints of one row and of its link to the next.
pub fn eval<AB: InteractionBuilder<F = F>>(builder: &mut AB) {
    let main = builder.main();
    let pre = builder.preprocessed().clone();
    let (local, next) = (Row::new(main.current_slice()), Row::new(main.next_slice()));
    eval_rounds(builder, local.core);
    let flags = pre.current_slice();
    eval_output(builder, &local, flags[PERM_FEED_FORWARD]);
    eval_chain(builder, &local, &next, flags[PERM_CHAIN_NEXT]);
    let x = &local.core.inputs;
    let cells = local.absorbed.iter().chain(&x[8..]).chain(local.out);
    for (i, cell) in cells.enumerate() {
        slot(builder, flags, 2 * i, (*cell).into());
    }
}

/// `out = P(x) + feed_forward·x` on the first half.
fn eval_output<AB: AirBuilder>(builder: &mut AB, row: &Row<'_, AB::Var>, feed_forward: AB::Var) {
    for i in 0..8 {
        builder.assert_zero(row.permuted()[i] + feed_forward * row.core.inputs[i] - row.out[i]);
    }
}

/// A chained row adds what it absorbs to the previous permutation; another row's input is free.
fn eval_chain<AB: AirBuilder>(
    builder: &mut AB,
    local: &Row<'_, AB::Var>,
    next: &Row<'_, AB::Var>,
    chain_next: AB::Var,
) {
    let (before, x) = (local.permuted(), &next.core.inputs);
    for i in 0..8 {
        builder.assert_zero(next.absorbed[i] + chain_next * before[i] - x[i]);
    }
    for i in 8..16 {
        builder.assert_zero(chain_next * (x[i] - before[i]));
    }
}

/// The permutation itself, as in `p3-poseidon2-air` (whose evaluator takes a table of its own only).
fn eval_rounds<AB: AirBuilder<F = F>>(builder: &mut AB, row: &Cols<AB::Var>) {
    let mut state: [AB::Expr; 16] = row.inputs.map(Into::into);
    Linear::external_linear_layer(&mut state);
    for (round, constants) in row.beginning_full_rounds.iter().zip(&KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL) {
        eval_full_round(builder, &mut state, round, constants);
    }
    for (round, constant) in row.partial_rounds.iter().zip(&KOALABEAR_POSEIDON2_RC_16_INTERNAL) {
        state[0] += *constant;
        builder.assert_eq(state[0].cube(), round.post_sbox);
        state[0] = round.post_sbox.into();
        Linear::internal_linear_layer(&mut state);
    }
    for (round, constants) in row.ending_full_rounds.iter().zip(&KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL) {
        eval_full_round(builder, &mut state, round, constants);
    }
}

fn eval_full_round<AB: AirBuilder<F = F>>(
    builder: &mut AB,
    state: &mut [AB::Expr; 16],
    round: &FullRound<AB::Var, 16, 3, 0>,
    constants: &[F; 16],
) {
    for (s, c) in state.iter_mut().zip(constants) {
        *s += *c;
        *s = s.cube();
    }
    Linear::external_linear_layer(state);
    for (s, post) in state.iter_mut().zip(round.post) {
        builder.assert_eq(s.clone(), post);
        *s = post.into();
    }
}

/// One row's witness: what it absorbs from the bus and its full input.
pub struct Input {
    pub absorbed: [F; 8],
    pub x: [F; 16],
    pub feed_forward: bool,
}

/// The table of the given rows, whose number is a power of two.
pub fn trace(rows: &[Input]) -> RowMajorMatrix<F> {
    let constants = RoundConstants::new(
        KOALABEAR_POSEIDON2_RC_16_EXTERNAL_INITIAL,
        KOALABEAR_POSEIDON2_RC_16_INTERNAL,
        KOALABEAR_POSEIDON2_RC_16_EXTERNAL_FINAL,
    );
    let inputs = rows.iter().map(|r| r.x).collect();
    let core = generate_trace_rows::<F, Linear, 16, 3, 0, 4, 20>(inputs, &constants, 0);
    let mut values = Vec::with_capacity(rows.len() * WIDTH);
    for (row, cells) in rows.iter().zip(core.values.chunks_exact(CORE)) {
        let cols: &Cols<F> = cells.borrow();
        let permuted = &cols.ending_full_rounds[3].post;
        values.extend_from_slice(cells);
        values.extend_from_slice(&row.absorbed);
        let feed = if row.feed_forward { F::ONE } else { F::ZERO };
        values.extend((0..8).map(|i| permuted[i] + feed * row.x[i]));
    }
    RowMajorMatrix::new(values, WIDTH)
}
