"""A finished run that is to be run again: whole, as its audit trail says, and with all that decided."""

from dataclasses import dataclass
from pathlib import Path

from harness.audit_trail.records import file_hash
from harness.audit_trail.verify import verify
from harness.case import CASE, KEPT_ELSEWHERE, PREPARED, link_folder, link_or_copy
from harness.comparison import Run, read_finished
from harness.drifting import schedule_of
from harness.faults.feeding import Feeding, in_order_of_sending
from harness.prepare import prepare
from harness.prepared import Prepared, open_prepared
from harness.recompute import check_case
from harness.replaying.same_rows import same_rows
from harness.scenario import Scenario, load_scenario
from streams.errors import BadInputError
from streams.topics import DOMAINS, Domain

FINDINGS_SHOWN = 3
STREAM_FILES = ("events", "labels", "profiles")


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run folder, and the scenario it ran."""

    run: Run
    scenario: Scenario

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.run.folder

    @property
    def domain(self) -> Domain:
        """What was streamed."""
        return self.scenario.domain

    @property
    def bundle(self) -> Path:
        """The bundle that decided."""
        return decided_by(self.folder)[0]

    @property
    def rules(self) -> Path:
        """The rules that decided: a file, or a folder of packs."""
        return decided_by(self.folder)[1]

    @property
    def state(self) -> Path:
        """The warm state it started from."""
        return self.folder / CASE / "state"


def decided_by(run: Path) -> tuple[Path, Path]:
    """Bundle and rules in a run folder's case."""
    packs = run / CASE / "rules"
    return run / CASE / "bundle", packs if packs.is_dir() else run / CASE / "rules.yaml"


def open_earlier(folder: Path) -> Earlier:
    """A run folder that can be run again.

    Raises BadInputError when there is no such run, it came to no end, its scorer was not ours, or it is not as its
    audit trail says: what would be repeated is then not what was run.
    """
    if not folder.is_dir():
        raise BadInputError(f"{folder}: no such run folder; name one that bench run left behind (runs/…)")
    folder = folder.resolve()
    check_case(folder)
    run = read_finished(folder)
    _refuse_damaged(folder)
    return Earlier(run, load_scenario(folder / "scenario.yaml", domain=domain_of(run)))


def domain_of(run: Run) -> Domain:
    """What a run streamed, as its results say. Raises BadInputError when they do not."""
    config = run.results.get("config")
    found = config.get("domain") if isinstance(config, dict) else None
    for domain in DOMAINS:
        if found == domain:
            return domain
    raise BadInputError(f"{run.folder}/results.json: config.domain = {found!r}: must be one of {', '.join(DOMAINS)}")


def _refuse_damaged(folder: Path) -> None:
    found = verify(folder, FINDINGS_SHOWN)
    if found.whole:
        return
    told = "\n".join(f"  {finding.text}" for finding in found.findings)
    more = f"\n  … and {found.total - len(found.findings):,} more" if found.total > len(found.findings) else ""
    raise BadInputError(
        f"{folder}: is not as its audit trail says, so that what it decided cannot be repeated (bench audit verify "
        f"{folder} names everything):\n{told}{more}"
    )


def same_case(earlier: Earlier, bundle: Path, rules: Path) -> bool:
    """Whether these are the bundle and the rules that decided, by their content."""
    return digests(bundle, rules) == digests(earlier.bundle, earlier.rules)


def digests(bundle: Path, rules: Path) -> tuple[str, str]:
    """Hashes of a bundle (its bundle.json holds those of its other files) and of rules. Raises BadInputError when they
    cannot be read."""
    try:
        return file_hash(bundle / "bundle.json"), file_hash(rules)
    except OSError as error:
        raise BadInputError(f"{error.filename}: cannot be read: {error.strerror or error}") from error


def put_together(earlier: Earlier, folder: Path, cache: Path) -> Prepared:
    """The run's data as a prepared folder: its own events and labels, in the order of sending, and its history.

    A run made before runs kept their history has it made again. Raises BadInputError when that gives other events.
    """
    kept = earlier.folder / CASE / PREPARED
    if (kept / "prepared.json").is_file():
        link_folder(kept, folder)
    else:
        link_folder(_made_again(earlier, folder.with_name("made-again"), cache).folder, folder, but=KEPT_ELSEWHERE)
    for name in STREAM_FILES:
        file = earlier.folder / f"{name}.parquet"
        if file.is_file():
            link_or_copy(file, folder / file.name)
    link_or_copy(earlier.folder / CASE / "dispositions.parquet", folder / "dispositions.parquet")
    return open_prepared(folder, key=file_hash(earlier.folder / "events.parquet"), cached=True)


def _made_again(earlier: Earlier, folder: Path, cache: Path) -> Prepared:
    scenario = earlier.scenario
    prepared = prepare(scenario, cache)
    order = Feeding(scenario.faults, scenario.seeds.faults).order(
        schedule_of(scenario, prepared.events, prepared.folder)
    )
    prepared = in_order_of_sending(prepared, order, folder)
    if not same_rows(prepared.file("events"), earlier.folder / "events.parquet"):
        raise BadInputError(
            f"{earlier.folder}: was made before runs kept their history (case/{PREPARED}), and its scenario gives "
            "other events today: run the revision that its environment.json names, or another run"
        )
    return prepared
