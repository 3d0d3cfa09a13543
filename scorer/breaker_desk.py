"""The breaker by hand: POST /breaker on the worker's own machine forces it open or closed, or gives it back."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from ipaddress import ip_address
from typing import Literal

import msgspec

from scorer.breaker import CircuitBreaker

PATH = "/breaker"
BODY_BYTES_MAX = 4_096
CONTENT_TYPE = "application/json"

Desk = Callable[["Request"], tuple[HTTPStatus, dict[str, str]]]


class Request(msgspec.Struct, frozen=True):
    """Who asks for what: `client` and `host` as the connection and the Host header say them."""

    client: str
    host: str
    content_type: str
    body: bytes


class _Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: Literal["forced-open", "disabled", "closed"]
    cause: str = "by hand"


def breaker_desk(breaker: CircuitBreaker, others: Callable[[], Iterable[CircuitBreaker]] = tuple) -> Desk:
    """Answers requests: `{"state": "forced-open" | "disabled" | "closed", "cause": "…"}`, from this machine only.

    `others` are the breakers of further models, which obey too.

    The content type and the host are checked so that no page in a browser of this machine can ask for it unseen.
    """

    def answer(request: Request) -> tuple[HTTPStatus, dict[str, str]]:
        if not (_is_loopback(request.client) and _is_loopback(_name_of(request.host))):
            return HTTPStatus.FORBIDDEN, {"error": f"{PATH} is answered on this machine only"}
        if request.content_type.split(";", 1)[0].strip().lower() != CONTENT_TYPE:
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"error": f"{PATH} takes {CONTENT_TYPE}"}
        try:
            order = msgspec.json.decode(request.body, type=_Order)
        except msgspec.DecodeError as error:
            return HTTPStatus.BAD_REQUEST, {"error": str(error)}
        for each in (breaker, *others()):
            change = {"forced-open": each.force_open, "disabled": each.disable, "closed": each.reset}
            change[order.state](order.cause)
        return HTTPStatus.OK, {"state": breaker.state}

    return answer


def _name_of(host: str) -> str:
    """A Host header without its port."""
    return host[1:].split("]", 1)[0] if host.startswith("[") else host.rsplit(":", 1)[0]


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
