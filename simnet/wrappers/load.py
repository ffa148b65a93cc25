"""The consensus load of a wrapper: carried out, written, judged."""

import time
from pathlib import Path

from simnet.analyze.analysis import analyze_file
from simnet.base import codes
from simnet.base.catalogue import BackendId
from simnet.proofs.keys import default_folder
from simnet.record.atomic import write_atomic
from simnet.record.consensus import LoadLabels, load_csv, load_summary
from simnet.record.places import SUMMARIES, slug
from simnet.record.summary import to_json
from simnet.scenario.wrapper_load import LoadedWrapper
from simnet.wrappers.screen import JobScreen

LINE_S = 10.0
FAILURES_SHOWN = 10


def result_paths(loaded: LoadedWrapper, folder: Path) -> tuple[Path, Path | None]:
    """Where the load's summary and CSV go."""
    load = loaded.wrapper.consensus
    assert load is not None, "the caller has looked"
    summary = folder / (load.summary_path or Path(SUMMARIES) / f"{slug(loaded.wrapper.name)}_consensus.json")
    return summary, None if load.csv_path is None else folder / load.csv_path


def run_consensus(loaded: LoadedWrapper, folder: Path, screen: JobScreen, *, backend: str | None, analyze: bool) -> tuple[int, list[str]]:
    """Runs the load into the artifacts folder; the exit code and the files written. An interrupted load is written, too."""
    # Late: these load the native provers, which a refused wrapper does not need.
    from simnet.jobs.consensus_load import LoadResult, circuit_of, run_load
    from simnet.proofs.native import NativeBackend

    load = loaded.wrapper.consensus
    assert load is not None, "the caller has looked"
    prover = NativeBackend(BackendId[(backend or load.backend).upper()], default_folder())
    result = LoadResult(circuit_of(load))
    code = codes.HELD
    shown = time.monotonic()
    try:
        for run in run_load(load, prover, result):
            if time.monotonic() - shown > LINE_S:
                shown = time.monotonic()
                screen.tell(f"consensus load: {run + 1} of {load.runs} runs, {len(result.failures)} failures")
    except KeyboardInterrupt:
        code = codes.INTERRUPTED
    summary_path, csv_path = result_paths(loaded, folder)
    security = prover.key(result.circuit).security_bits
    shown_csv = None if csv_path is None else str(csv_path)
    labels = LoadLabels(prover.id.label, security, str(summary_path), shown_csv, code != codes.INTERRUPTED)
    write_atomic(summary_path, to_json(load_summary(load, result, labels)))
    files = [summary_path]
    if csv_path is not None:
        write_atomic(csv_path, load_csv(result))
        files.append(csv_path)
    for failure in result.failures[:FAILURES_SHOWN]:
        screen.complain("error", f"consensus load: {failure}")
    if len(result.failures) > FAILURES_SHOWN:
        screen.complain("error", f"consensus load: {len(result.failures) - FAILURES_SHOWN} more failures in {summary_path}")
    if code == codes.HELD:
        code = _judge(summary_path, screen) if analyze else codes.FAILED if result.failures else codes.HELD
    return code, [str(path) for path in files]


def _judge(summary: Path, screen: JobScreen) -> int:
    analysis = analyze_file(summary)
    screen.judged(analysis)
    return codes.HELD if analysis.passed else codes.FAILED
