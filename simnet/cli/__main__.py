"""`python -m simnet.cli`."""

from simnet.cli.main import main

main()
