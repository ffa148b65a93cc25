"""Work beside a network run that a wrapper asks for: processes, the load on a consensus prover, drills."""
