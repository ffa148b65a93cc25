"""The search for runs that break what must hold: random small scenarios, each run for real and judged."""
