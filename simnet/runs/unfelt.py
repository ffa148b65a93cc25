"""Faults of links that concern no link of a run's own network."""

from simnet.net.faults import concerns
from simnet.net.topology import crossing, edges_of
from simnet.scenario.model import Scenario


def unfelt(scenario: Scenario, seed: int) -> list[str]:
    """Faults of links that concern no link, which depends on the seed. Upstream skips such a partition without a word."""
    partition, rules = scenario.faults.partition, scenario.faults.links
    if partition is None and not rules:
        return []
    edges, regions = edges_of(scenario.topology, seed), scenario.region_of_node
    found = []
    pair = "" if partition is None else " and ".join(partition.names())
    if partition is not None and not crossing(edges, regions, partition.group_a, partition.group_b):
        found.append(f"faults.partition: with seed {seed} no link joins {pair}: nothing is cut")
    for index, fault in enumerate(rules):
        if not any(concerns(fault, a, b, regions) or concerns(fault, b, a, regions) for a, b in edges):
            way = f"from {fault.source or 'anywhere'} to {fault.target or 'anywhere'}"
            found.append(f"faults.links.{index}: with seed {seed} no link goes {way}: it does nothing")
    return found
