"""Many runs of one scenario: parameters × seeds, on the cores of this machine or on a cluster, to one table."""
