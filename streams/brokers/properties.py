"""Reads Kafka client `.properties` files, whether they use the Java client's names or librdkafka's."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.errors import BadInputError

# What each understood name sets. Names in the first column are the Java client's or librdkafka's.
_MEANING = {
    "security.protocol": "protocol",
    "sasl.mechanism": "mechanism",
    "sasl.mechanisms": "mechanism",
    "sasl.username": "username",
    "sasl.password": "password",
    "ssl.truststore.location": "ca_file",
    "ssl.ca.location": "ca_file",
    "ssl.keystore.location": "certificate_file",
    "ssl.certificate.location": "certificate_file",
    "ssl.key.location": "key_file",
    "ssl.key.password": "key_password",
    "ssl.endpoint.identification.algorithm": "check_hostname",
}
# Understood, and with nothing left to say once the value is the one given here.
_ONLY_VALUE = {"ssl.truststore.type": "PEM", "ssl.keystore.type": "PEM"}
_JAAS = "sasl.jaas.config"
_JAAS_LOGIN = re.compile(r"^\S+\.(?:PlainLoginModule|ScramLoginModule)\s+(?:required|requisite|sufficient)\s+(.*);\s*$")
_JAAS_OPTION = re.compile(r"""(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;]+))""")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")


class Secret(str):
    """A string that does not show itself: client libraries log their settings, and `repr` is what logs use."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[hidden]'"


@dataclass(frozen=True, slots=True)
class Property:
    """One understood entry: the name as written, its line (from 1) and its value."""

    name: str
    line: int
    value: str


def parse_properties(path: Path) -> dict[str, Property]:
    """The understood entries of a file by meaning (`protocol`, `mechanism`, `username`, …).

    Raises `BadInputError` with file and line for an unreadable file, a line that is no `key=value`, a name that
    is not understood or given twice, or a key store that is not PEM. The message never holds a secret's value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"Kafka configuration {path} cannot be read: {error}") from error
    found: dict[str, Property] = {}
    for line, content in _logical_lines(text):
        name, value = _split(path, line, content)
        for meaning, entry in _entries(path, line, name, value):
            if meaning in found:
                raise BadInputError(f"{path}, line {line}: {name} says again what line {found[meaning].line} says")
            found[meaning] = entry
    return found


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their number, continued ones (ending in an odd number of backslashes) joined, comments left out."""
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), start=1):
        stripped = raw.lstrip()
        if not pending and (not stripped or stripped[0] in "#!"):
            continue
        start = start or number
        if (len(stripped) - len(stripped.rstrip("\\"))) % 2:
            pending += stripped[:-1]
            continue
        yield start, pending + stripped
        pending, start = "", 0
    if pending:
        yield start, pending


def _split(path: Path, line: int, content: str) -> tuple[str, str]:
    match = re.match(r"^([^\s=:]+)\s*[=:]\s*(.*)$", content)
    if match is None:
        raise BadInputError(f"{path}, line {line}: expected name=value")
    value = _ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else _escaped(m[1]), match[2].strip())
    return match[1], value


def _escaped(letter: str) -> str:
    return {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}.get(letter, letter)


def _entries(path: Path, line: int, name: str, value: str) -> Iterator[tuple[str, Property]]:
    if name == _JAAS:
        yield from _jaas(path, line, value)
    elif name in _ONLY_VALUE:
        if value.upper() != _ONLY_VALUE[name]:
            raise _not_pem(path, line, f"{name}={value}")
    elif name in _MEANING:
        if name.endswith("store.location") and Path(value).suffix.lower() in (".jks", ".p12", ".pfx", ".pkcs12"):
            raise _not_pem(path, line, f"{name}={value}")
        yield _MEANING[name], Property(name, line, value)
    else:
        known = ", ".join(sorted({*_MEANING, *_ONLY_VALUE, _JAAS}))
        raise BadInputError(f"{path}, line {line}: {name} is not understood here; understood are {known}")


def _not_pem(path: Path, line: int, said: str) -> BadInputError:
    return BadInputError(
        f"{path}, line {line}: {said}: only PEM files can be used, because not every client library reads Java key "
        "stores; export the certificates with `keytool -exportcert -rfc` or `openssl pkcs12 -nodes`"
    )


def _jaas(path: Path, line: int, value: str) -> Iterator[tuple[str, Property]]:
    match = _JAAS_LOGIN.match(value)
    options = {}
    if match is not None:
        for name, double, single, bare in _JAAS_OPTION.findall(match[1]):
            options[name] = re.sub(r"\\(.)", r"\1", double or single) or bare
    if match is None or not options.get("username") or not options.get("password"):
        raise BadInputError(
            f"{path}, line {line}: {_JAAS} is not understood; expected "
            '`…PlainLoginModule required username="…" password="…";` or the same with ScramLoginModule'
        )
    yield "username", Property(_JAAS, line, options["username"])
    yield "password", Property(_JAAS, line, options["password"])
