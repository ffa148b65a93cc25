//! What the key says about the shape of every proof of its circuit: nothing of it is read from a proof.

use super::component::Place;
use super::config::Parameters;
use super::tables::{Table, TableShape};

/// Commitment trees of a proof: preprocessed, trace, interaction, composition.
pub const TREES: usize = 4;
const COMPOSITION: usize = 3;
/// The composition polynomial is two halves of four coordinates.
const COMPOSITION_COLUMNS: usize = 8;
const HASH: usize = 32;
const WORD: usize = 4;

/// The columns of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub parameters: Parameters,
    pub tables: Vec<TableShape>,
    pub places: Vec<Place>,
    /// Log sizes of the columns of each tree, before blowup.
    pub log_sizes: [Vec<u32>; TREES],
    /// Samples of each column: 2 where the previous row is read too, 1 elsewhere.
    pub samples: [Vec<usize>; TREES],
    /// Log size of the tallest table, which is the degree bound of FRI.
    pub log_max: u32,
}

impl Shape {
    pub fn new(tables: &[Box<dyn Table>], parameters: Parameters) -> Self {
        let tables: Vec<TableShape> = tables.iter().map(|t| t.shape()).collect();
        let log_max = tables.iter().map(|t| t.log_size).max().unwrap_or(0);
        let mut shape = Shape {
            parameters,
            tables: vec![],
            places: vec![],
            log_sizes: [vec![], vec![], vec![], vec![log_max; COMPOSITION_COLUMNS]],
            samples: [vec![], vec![], vec![], vec![1; COMPOSITION_COLUMNS]],
            log_max,
        };
        for table in &tables {
            let [fixed, trace, interaction] = [0, 1, 2].map(|tree| shape.log_sizes[tree].len());
            shape.places.push(Place { fixed, trace, interaction });
            shape.add(0, table.log_size, table.fixed, 0);
            shape.add(1, table.log_size, table.trace, table.previous);
            shape.add(2, table.log_size, 4 * table.batches, 4);
        }
        shape.tables = tables;
        shape
    }

    /// Appends `n` columns to a tree, the last `both` of which are sampled twice.
    fn add(&mut self, tree: usize, log_size: u32, n: usize, both: usize) {
        self.log_sizes[tree].extend(vec![log_size; n]);
        self.samples[tree].extend(vec![1; n - both]);
        self.samples[tree].extend(vec![2; both]);
    }

    /// Log sizes of the tables, as keys and transcripts carry them.
    pub fn table_logs(&self) -> Vec<u32> {
        self.tables.iter().map(|t| t.log_size).collect()
    }

    /// FRI layers after the first: folds until a constant is left.
    pub fn inner_layers(&self) -> usize {
        (self.log_max - self.parameters.fold).div_ceil(self.parameters.fold) as usize
    }

    /// No honest proof is longer. Decoding starts with this bound.
    pub fn max_bytes(&self) -> usize {
        let Parameters { log_blowup, queries, fold, .. } = self.parameters;
        let samples: usize = self.samples.iter().flatten().sum();
        let cells: usize = self.log_sizes.iter().map(Vec::len).sum();
        let height = (self.log_max + log_blowup) as usize;
        let path = WORD + queries * height * HASH;
        let layers = 1 + self.inner_layers();
        let witness = WORD + queries * (1 << fold) * 4 * WORD;
        let header = 2 * 8 + 4 * WORD * self.tables.len() + COMPOSITION * HASH + 5 * WORD;
        header + 4 * WORD * samples + WORD * queries * cells + TREES * path + layers * (HASH + witness + path)
    }
}
