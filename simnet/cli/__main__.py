"""`python -m simnet.cli`."""

from simnet.cli.entry import main

main()
