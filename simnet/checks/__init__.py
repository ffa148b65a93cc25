"""What every run is watched for, while it runs and at its end. `docs/checks.md` describes each check.

A check observes events, and reads nodes only to see what an event has announced. Its verdict is `held`, `broken` or
`not_exercised`: never `held` with nothing to look at. A broken safety check ends the run; the others are reported at the end.
"""

from simnet.checks.verdicts import CHECKS, EFFECT, LIVENESS, SAFETY, Status
from simnet.checks.watch import Checks

__all__ = ["CHECKS", "EFFECT", "LIVENESS", "SAFETY", "Checks", "Status"]
