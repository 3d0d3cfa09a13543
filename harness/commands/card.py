"""`bench card …`: the model card."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from streams.errors import BadInputError

app = typer.Typer(no_args_is_help=True, help="Write a model card.")
SUFFIXES = (".md", ".html")


@app.command()
def fraud(
    *,
    bundle: Annotated[Path | None, typer.Option(help="Folder of a trained bundle.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder: its model, and what the run measured of it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .md or .html; default: Markdown on standard output.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card's contents as JSON instead.")] = False,
) -> None:
    """What the fraud model is, what it is for, how well it does for whom, and what is not known of it.

    Without --bundle and --run: of the newest finished run below runs/.
    """
    from harness.model_card import card_facts, read_sources, render_html, render_markdown  # noqa: PLC0415 - not for --help

    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise BadInputError(f"--out {out}: must end in {' or '.join(SUFFIXES)}")
    facts = card_facts(read_sources(bundle, run))
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    if out is None:
        if not as_json:
            sys.stdout.write(render_markdown(facts))
        return
    text = render_markdown(facts)
    try:
        out.write_text(render_html(text) if out.suffix.lower() == ".html" else text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"--out {out}: cannot be written: {error.strerror or error}") from error
    typer.echo(f"{out} written", err=True)
