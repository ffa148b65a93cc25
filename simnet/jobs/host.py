"""What the host has, against what a wrapper asks for."""

import os

from simnet.scenario.wrapper import Resources

GIB = 2**30


def host_resources() -> tuple[int, int]:
    """(logical CPUs, total memory in bytes)."""
    return os.cpu_count() or 1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def guidance(asked: Resources, has: tuple[int, int]) -> tuple[bool, str]:
    """Whether the host suffices, and both sets of figures in words."""
    cpus, memory = has
    words = f"host has {cpus} CPUs and {memory / GIB:.1f} GiB, scenario asks for {asked.cpus} CPUs and {asked.memory_gb} GiB"
    return cpus >= asked.cpus and memory >= asked.memory_gb * GIB, words
