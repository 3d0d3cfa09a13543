"""What a scorer of ours that runs elsewhere starts from, in one folder: bundle, rules, warm state, and the scenario
that it is to be measured by."""

import json
import shutil
import tempfile
from pathlib import Path

from harness.cache import content_key, hash_file
from harness.scenario import Scenario
from streams.errors import BadInputError

MANIFEST = "serving.json"
BUNDLE, RULES, STATE, SCENARIO = "bundle", "rules.yaml", "state", "scenario.yaml"
_SCHEMA_VERSION = 1


def write_serving_folder(out: Path, scenario: Scenario, bundle: Path, rules: Path, state: Path) -> bool:
    """Make `out`, whole or not at all; False when it held the very same already.

    An older serving folder in its place is replaced: processes hold what they have read from it in memory. Raises
    BadInputError when `out` holds anything else, or cannot be written. `state` is the cache's, named by its content.
    """
    key = content_key(
        {
            "bundle": hash_file(bundle / "bundle.json"),
            "rules": hash_file(rules),
            "state": state.name,
            "scenario": scenario.to_yaml(),
        }
    )
    if _key_of(out) == key:
        return False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            shutil.copytree(bundle, staging / BUNDLE)
            shutil.copyfile(rules, staging / RULES)
            shutil.copytree(state, staging / STATE)
            (staging / SCENARIO).write_text(scenario.to_yaml(), encoding="utf-8")
            manifest = {"schema_version": _SCHEMA_VERSION, "key": key}
            (staging / MANIFEST).write_text(json.dumps(manifest) + "\n", encoding="utf-8")
            staging.chmod(0o755)  # scorers may be other users than who prepares
            if out.exists():
                shutil.rmtree(out)
            staging.rename(out)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    return True


def refuse_other_content(out: Path) -> None:
    """Raise BadInputError when `out` is there and is no serving folder: nothing of somebody else's is removed."""
    if out.exists() and not (out / MANIFEST).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise BadInputError(f"--out {out}: holds other things than a serving folder; name a new or empty folder")


def _key_of(folder: Path) -> str | None:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found.get("key") if isinstance(found, dict) else None
