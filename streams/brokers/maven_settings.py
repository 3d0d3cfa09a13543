"""Where this machine has its Maven artifacts from: the mirror in its Maven settings, jgo's settings, or the default."""

import logging
from pathlib import Path
from xml.etree import ElementTree

from streams.errors import BadInputError

_log = logging.getLogger("riskbench.streams")
_CENTRAL = "central"


def remote_repositories(maven_settings: Path | None = None) -> dict[str, str]:
    """Repository name → URL for jgo. A mirror of `central` in the Maven settings wins over jgo's own settings.

    `maven_settings` names the file; without it `~/.m2/settings.xml` is read when it exists.
    """
    from jgo.config import GlobalSettings  # noqa: PLC0415 (only needed when something has to be fetched)
    from jgo.constants import MAVEN_CENTRAL_URL  # noqa: PLC0415

    repositories = {_CENTRAL: MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    mirror = central_mirror(maven_settings or Path.home() / ".m2" / "settings.xml")
    if mirror is not None:
        repositories[_CENTRAL] = mirror
    return {name: url.rstrip("/") for name, url in repositories.items()}


def central_mirror(settings: Path) -> str | None:
    """The URL of the first mirror in a Maven settings file that stands in for Maven Central, or None."""
    if not settings.is_file():
        return None
    try:
        root = ElementTree.parse(settings).getroot()  # noqa: S314 (the user's own configuration)
    except (ElementTree.ParseError, OSError) as error:
        raise BadInputError(f"Maven settings {settings} cannot be read: {error}") from error
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        url = (mirror.findtext("{*}url") or "").strip()
        blocked = (mirror.findtext("{*}blocked") or "").strip() == "true"
        if url and not blocked and _stands_for_central(mirror.findtext("{*}mirrorOf") or ""):
            return url
    return None


def _stands_for_central(pattern: str) -> bool:
    names = {name.strip() for name in pattern.split(",")}
    return f"!{_CENTRAL}" not in names and not names.isdisjoint({_CENTRAL, "*", "external:*"})
