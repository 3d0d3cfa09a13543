"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import platformdirs
import typer

Out = Annotated[Path, typer.Option(help="Folder that gets the run folder.", rich_help_panel="Where")]
CacheDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder for worlds, models, states and Kafka's jars; default: the user's cache folder.",
        rich_help_panel="Where",
    ),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print results.json to standard output, all else to standard error.")
]


def cache_folder(given: Path | None) -> Path:
    """The cache folder: as given, or the user's."""
    return given if given is not None else Path(platformdirs.user_cache_dir("riskbench"))
