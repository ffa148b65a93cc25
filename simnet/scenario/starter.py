"""The commented scenario that `simnet new` writes. `NAME` is replaced."""

STARTER = """\
# NAME: say here which question this scenario answers.
# Every key and its limits: docs/scenario.md. Check with `simnet validate`, run with `simnet run`.
# All times are milliseconds of virtual time.

name = "NAME"

[sim]
seed = 1             # every random choice follows from it
duration_ms = 20000  # at least the sum of the phases below

[topology]
type = "small_world" # ring, erdos_renyi (needs p), k_regular, small_world (needs k and rewire_p), scale_free
n = 8                # validators
k = 4                # neighbours
rewire_p = 0.1       # probability that an edge is moved

[regions]            # one entry a node; these four names choose the proof system
assignments = ["STWO", "STWO", "PLONKY3", "PLONKY3", "GROTH16", "GROTH16", "MIXED", "MIXED"]

[links]              # one hop: delay_ms plus or minus up to jitter_ms; loss is a probability
default = { delay_ms = 30, jitter_ms = 5, loss = 0.005 }
"STWO-GROTH16" = { delay_ms = 60, jitter_ms = 10, loss = 0.01 }

[traffic.tx]
publisher_bias = { type = "uniform" } # or { type = "zipf", s = 1.1 }: low indices publish most
payload = { min_bytes = 200, max_bytes = 800 }

[[traffic.tx.phases]]
name = "steady"
duration_ms = 15000
model = "poisson"    # or on_off_bursty
lambda_per_sec = 3.0 # of the whole network

# Other regions, or single nodes, choose their proof systems here.
# [provers.regions]
# EDGE = ["groth16", "stwo"]
# [provers.nodes]
# 0 = ["plonky3"]

# A block each 6 s of virtual time, with up to so many transfers.
# [chain]
# slot_ms = 6000
# block_transactions_max = 256

# The edges between two regions (or lists of regions and node indices) go down for a while.
# [faults.partition]
# start_ms = 5000
# duration_ms = 4000
# group_a = "STWO"
# group_b = "GROTH16"

# One node after another is disconnected.
# [faults.churn]
# start_ms = 10000
# rate_per_min = 12.0
# restart_after_ms = 1500

# These nodes send every publication more than once; the copies are forgeries.
# [faults.byzantine]
# start_ms = 8000
# spam_factor = 2
# publishers = [1]

# Links and nodes misbehave: docs/scenario.md has all kinds.
# [[faults.links]]
# kind = "duplicate"
# source = "STWO"
# target = "PLONKY3"
# start_ms = 2000
# duration_ms = 5000
# probability = 0.2
# delay_ms = 40
# [[faults.nodes]]
# kind = "pause"
# node = 3
# start_ms = 6000
# duration_ms = 2000
"""
