//! Linear algebra of an eavesdropper: opened values are known combinations of unknown cells.

use crate::field::CircuitField;

/// The only `x` with `row · x = value` for every equation; `None` if they leave it open. Equations must not contradict.
pub fn solve<F: CircuitField>(equations: &[(Vec<F>, F)], unknowns: usize) -> Option<Vec<F>> {
    let mut rows: Vec<Vec<F>> = equations.iter().map(|(row, value)| [row.as_slice(), &[*value]].concat()).collect();
    for column in 0..unknowns {
        let pivot = (column..rows.len()).find(|r| rows[*r][column] != F::ZERO)?;
        rows.swap(column, pivot);
        let inverse = rows[column][column].invert().expect("not zero");
        rows[column].iter_mut().for_each(|x| *x = *x * inverse);
        let pivot_row = rows[column].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(r, _)| *r != column) {
            let factor = row[column];
            row.iter_mut().zip(&pivot_row).for_each(|(x, p)| *x = *x - factor * *p);
        }
    }
    assert!(rows[unknowns..].iter().all(|row| row[unknowns] == F::ZERO), "the equations contradict each other");
    Some(rows[..unknowns].iter().map(|row| row[unknowns]).collect())
}

/// The sender's balance in the sample transfer as the circuit holds it: four 16-bit limbs.
pub const BALANCE_LIMBS: [u64; 4] = [77, 0, 5, 0];

/// Whether the balance stands anywhere in these cells.
pub fn shows_balance<F: CircuitField>(cells: &[F]) -> bool {
    cells.windows(4).any(|w| w.iter().zip(BALANCE_LIMBS).all(|(x, limb)| *x == F::from_u64(limb)))
}
