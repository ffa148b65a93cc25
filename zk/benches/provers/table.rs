//! Measuring, and the table at the end.

use std::time::{Duration, Instant};

use criterion::Criterion;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// One line of the table.
struct Line {
    name: String,
    ours: Option<Duration>,
    reference: Option<Duration>,
    /// Permutations in one proof, if that is what the line is about.
    permutations: Option<usize>,
}

/// Criterion, and what it measured.
pub struct Table {
    criterion: Criterion,
    lines: Vec<Line>,
}

/// The pools of a bench: one thread, and all cores.
pub fn pools() -> [(String, ThreadPool); 2] {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    [1, all].map(|n| {
        let pool = ThreadPoolBuilder::new().num_threads(n).build().expect("a pool");
        (format!("{n} threads"), pool)
    })
}

impl Table {
    pub fn new() -> Self {
        let criterion = Criterion::default()
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_millis(900))
            .configure_from_args();
        Table { criterion, lines: vec![] }
    }

    /// The shortest sample of `work` on `pool`: other load on the machine only ever adds. `None` if a filter on the
    /// command line left this measurement out.
    pub fn time(&mut self, name: &str, pool: &ThreadPool, mut work: impl FnMut() + Send) -> Option<Duration> {
        let mut shortest: Option<Duration> = None;
        self.criterion.bench_function(name, |bencher| {
            bencher.iter_custom(|n| {
                let took = pool.install(|| {
                    let start = Instant::now();
                    (0..n).for_each(|_| work());
                    start.elapsed()
                });
                let each = took / u32::try_from(n).expect("few iterations");
                shortest = Some(shortest.map_or(each, |s| s.min(each)));
                took
            });
        });
        shortest
    }

    /// Adds a line, unless both were left out.
    pub fn line(&mut self, name: &str, ours: Option<Duration>, reference: Option<Duration>) {
        self.add(name, ours, reference, None);
    }

    /// A line about proofs of so many permutations.
    pub fn permutations(
        &mut self,
        name: &str,
        ours: Option<Duration>,
        reference: Option<Duration>,
        permutations: usize,
    ) {
        self.add(name, ours, reference, Some(permutations));
    }

    fn add(&mut self, name: &str, ours: Option<Duration>, reference: Option<Duration>, permutations: Option<usize>) {
        if ours.or(reference).is_some() {
            self.lines.push(Line { name: name.into(), ours, reference, permutations });
        }
    }

    pub fn print(self) {
        self.criterion.final_summary();
        println!("\n{:<44} {:>12} {:>12} {:>7} {:>22}", "", "ours", "reference", "ratio", "permutations/s");
        for line in &self.lines {
            let ms = |d: Duration| format!("{:.2} ms", d.as_secs_f64() * 1e3);
            let ratio = |(ours, reference): (Duration, Duration)| ours.as_secs_f64() / reference.as_secs_f64();
            let ratio = line.ours.zip(line.reference).map(|pair| format!("{:.2}", ratio(pair)));
            let rate = |d: Duration| line.permutations.map(|n| format!("{:.0}", n as f64 / d.as_secs_f64()));
            let rates: Vec<String> = [line.ours, line.reference].into_iter().flatten().filter_map(rate).collect();
            let [ours, reference] = [line.ours, line.reference].map(|d| d.map_or("-".into(), ms));
            let ratio = ratio.unwrap_or("-".into());
            println!("{:<44} {ours:>12} {reference:>12} {ratio:>7} {:>22}", line.name, rates.join(" / "));
        }
    }
}
