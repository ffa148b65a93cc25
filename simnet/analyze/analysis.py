"""From a summary file to its verdicts, and where they are kept.

Which rules: upstream's for its kind (network run or consensus load); for a summary of simnet, which has the block of that
name, the safety rules, too; on top of them the file of the scenario's name; on top of all the command line's options.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from simnet.analyze import prover_mix, slashing_drill
from simnet.analyze.alerts import write_alerts
from simnet.analyze.fixed import judge_fixed
from simnet.analyze.report import Analysis
from simnet.analyze.thresholds import Rules, find_thresholds, load_thresholds
from simnet.analyze.verdicts import Verdict, judge
from simnet.base.errors import ThresholdError
from simnet.record.files import write_json
from simnet.record.summary_files import SummaryFile, refuse_other_files, summary_file

HERE = Path(__file__).parent
NETWORK_RULES, LOAD_RULES = HERE / "network_rules.toml", HERE / "load_rules.toml"
"""Upstream's, by kind of summary."""
RUN_SAFETY, LOAD_SAFETY = HERE / "default_thresholds.toml", HERE / "consensus_thresholds.toml"
NETWORK_ONLY = HERE / "network_thresholds.toml"
"""Ours, on top of them; the last for runs without a chain."""
DRILLS: Mapping[str, tuple[Path, Callable[[Path], Iterable[Verdict]]]] = {
    prover_mix.STEM: (Path(prover_mix.__file__), lambda path: prover_mix.judge_mix(prover_mix.read_mix(path))),
    slashing_drill.STEM: (Path(slashing_drill.__file__), lambda path: slashing_drill.judge_drill(slashing_drill.read_drill(path))),
}
"""Results of drills by their stems: where their rules are, and those."""
NO_OPTIONS: Mapping[str, float] = {}


def analyze_file(summary: Path, thresholds: Path | None = None, options: Mapping[str, float] = NO_OPTIONS) -> Analysis:
    """Judges one summary; writes `analysis.json` and, for a network run, the alerts beside the summary.

    `thresholds` takes the place of the scenario's own file; `options` are limits by option name (`max-probe-p95`).
    Raises `ThresholdError` (bad rules, unknown metric) or `OutputError` (unreadable summary, unwritable verdicts).
    """
    if summary.stem in DRILLS and thresholds is None:
        rules_of, judged = DRILLS[summary.stem]
        analysis = Analysis(summary, (rules_of,), tuple(judged(summary)))
        write_json(analysis_path(summary, main=False), analysis.as_dict())
        return analysis
    read = summary_file(summary)
    content, network = read.content, not read.known.is_load
    files = rule_files(summary.stem, read.known, thresholds)
    rules = Rules()
    for path in files:
        rules = rules.below(load_thresholds(path))
    rules = rules.overridden(options)
    if not rules.alone:
        refuse_other_files(read)
    try:
        verdicts = judge(content, rules.thresholds)
        if network and not rules.alone:
            verdicts += judge_fixed(read.known, summary, rules.peer_bytes)
    except ThresholdError as error:
        raise ThresholdError("\n".join(f"{summary}: {line}" for line in str(error).splitlines())) from error
    analysis = Analysis(summary, files, tuple(verdicts), network)
    write_json(analysis_path(summary, main=network), analysis.as_dict())
    if network:
        write_alerts(read, verdicts)
    return analysis


def rule_files(stem: str, summary: SummaryFile, thresholds: Path | None) -> tuple[Path, ...]:
    """The files of rules for a summary, lowest first."""
    files = [LOAD_RULES if summary.is_load else NETWORK_RULES]
    own: Path | None = None  # A scenario's own limits are on figures of a chain, and of simnet.
    if summary.ours.network_only:
        files.append(NETWORK_ONLY)
    elif summary.simnet is not None:
        files.append(LOAD_SAFETY if summary.is_load else find_thresholds("default") or RUN_SAFETY)
        own = find_thresholds(stem)
    last = thresholds or own
    return (*files, last) if last is not None else tuple(files)


def analysis_path(summary: Path, *, main: bool) -> Path:
    """`analysis.json` in the run's folder for the network run's own summary, `<stem>.analysis.json` beside any other."""
    root = summary.parent.parent
    if main and summary.parent.name == "summaries" and (root / "run.json").is_file():
        return root / "analysis.json"
    return summary.with_name(f"{summary.stem}.analysis.json")
