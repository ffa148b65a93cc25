"""simnet: a discrete-event network simulator whose validators run real zero-knowledge provers."""

__version__ = "0.1.0"
