"""Whose request it is, where proxies stand between: only the operator's own are believed."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

MOST_HOPS = 20


class Proxies:
    """The proxies whose word counts, by SLIPWAY_TRUSTED_PROXIES."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, networks))

    def trusts(self, address: str) -> bool:
        """Whether an address is one of theirs."""
        try:
            known = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(known, "ipv4_mapped", None)
        return any((mapped or known) in network for network in self._networks)

    def client(self, peer: str, forwarded: str) -> str:
        """Who asks: the last one in X-Forwarded-For who is no proxy of ours, else the peer.

        What a client writes there itself stands before that, and does not count.
        """
        hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
        here = peer
        for hop in reversed(hops[-MOST_HOPS:]):
            if not self.trusts(here):
                break
            found = _address(hop)
            if found is None:
                break
            here = found
        return here


def _address(hop: str) -> str | None:
    """An address as some proxies write it: with a port, or in brackets."""
    bare = hop.strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ip_address(bare))
    except ValueError:
        return None


class Behind:
    """A WSGI application behind proxies: its REMOTE_ADDR and scheme are the client's."""

    def __init__(self, app: "WSGIApplication", proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> Iterable[bytes]:
        """Serve a request."""
        peer = environ.get("REMOTE_ADDR", "")
        forwarded = environ.pop("HTTP_X_FORWARDED_FOR", "")
        scheme = environ.pop("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        if self._proxies.trusts(peer):
            environ["REMOTE_ADDR"] = self._proxies.client(peer, forwarded)
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self._app(environ, start_response)
