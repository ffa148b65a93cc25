"""The Internet between Bitcoin's nodes in 2015 and 2019, as the SimBlock simulator has it: six regions, the share of
nodes in each, mean latencies between them, upload and download bandwidths.

Source of all numbers: SimBlock (Aoki et al., "SimBlock: A Blockchain Network Simulator", INFOCOM workshops 2019),
repository dsg-titech/simblock, file simulator/src/main/java/simblock/settings/NetworkConfiguration.java, commit
6a52865374288db5e4514ada1b8321aad041e5f5; the law of latencies and the use of bandwidths from Network.java, commit
9ba57fe7f03e816091c45535c5e6e4ab4eb5ecbd.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

REGIONS = ("NORTH_AMERICA", "EUROPE", "SOUTH_AMERICA", "ASIA_PACIFIC", "JAPAN", "AUSTRALIA")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Internet:
    """One year's figures, regions in the order of `REGIONS`."""

    latency_ms: tuple[tuple[int, ...], ...]
    """Mean latency of one message from row to column."""
    upload_bps: tuple[int, ...]
    download_bps: tuple[int, ...]
    share: tuple[float, ...]
    """Of all nodes."""

    def regions(self, nodes: int, draws: np.random.Generator) -> Ints:
        """Region of each node: the shares' exact counts in random order."""
        ends = np.round(np.cumsum(self.share) / sum(self.share) * nodes).astype(int)
        return draws.permutation(np.repeat(np.arange(len(REGIONS)), np.diff(ends, prepend=0)))

    def latencies_ms(self, source: Ints, target: Ints, draws: np.random.Generator) -> Ints:
        """Drawn latencies between regions: Pareto with scale mean - 5 ms and shape mean / 5, in whole milliseconds."""
        mean = np.array(self.latency_ms)[source, target]
        return np.rint((mean - 5) / (1 - draws.random(mean.shape)) ** (5 / mean)).astype(np.int64)

    def bandwidths_bps(self, source: Ints, target: Ints) -> Ints:
        """What one transfer gets: the sender's upload or the receiver's download bandwidth, whichever is less."""
        least: Ints = np.minimum(np.array(self.upload_bps)[source], np.array(self.download_bps)[target])
        return least


YEAR_2015 = Internet(
    latency_ms=(
        (36, 119, 255, 310, 154, 208),
        (119, 12, 221, 242, 266, 350),
        (255, 221, 137, 347, 256, 269),
        (310, 242, 347, 99, 172, 278),
        (154, 266, 256, 172, 9, 163),
        (208, 350, 269, 278, 163, 22),
    ),
    upload_bps=(4_700_000, 8_100_000, 1_800_000, 5_300_000, 3_400_000, 5_200_000),
    download_bps=(25_000_000, 24_000_000, 6_500_000, 10_000_000, 17_500_000, 14_000_000),
    share=(0.3869, 0.5159, 0.0113, 0.0574, 0.0119, 0.0166),
)
YEAR_2019 = Internet(
    latency_ms=(
        (32, 124, 184, 198, 151, 189),
        (124, 11, 227, 237, 252, 294),
        (184, 227, 88, 325, 301, 322),
        (198, 237, 325, 85, 58, 198),
        (151, 252, 301, 58, 12, 126),
        (189, 294, 322, 198, 126, 16),
    ),
    upload_bps=(19_200_000, 20_700_000, 5_800_000, 15_700_000, 10_200_000, 11_300_000),
    download_bps=(52_000_000, 40_000_000, 18_000_000, 22_800_000, 22_800_000, 29_900_000),
    share=(0.3316, 0.4998, 0.0090, 0.1177, 0.0224, 0.0195),
)
