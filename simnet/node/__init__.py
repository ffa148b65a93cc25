"""A simulated validator: the protocol's state machines around real provers."""
