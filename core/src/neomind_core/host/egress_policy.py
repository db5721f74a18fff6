"""Which addresses may be reached from here, by who chose the target. Addresses only: nothing is resolved here."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import unquote

import attrs

from neomind_core.contracts import ADMIN_TARGET, fields

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*", re.ASCII)


def _listed(entries: list[str]) -> str | None:
    wrong = next((entry for entry in entries if _network(entry) is None and not is_host_name(bare(entry))), None)
    return None if wrong is None else f"'{wrong}' is no host name, address or network such as 10.0.0.0/8"


@attrs.frozen(kw_only=True)
class EgressConfig:
    """``allow``: host names, addresses and networks that targets nobody of the administrators chose may reach too."""

    allow: list[str] = fields.field(_listed, factory=list)


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Never reached, whoever chose the target. The metadata services of clouds hand out credentials to whoever asks:
# AWS, GCP, Azure and OpenStack at 169.254.169.254 (link-local), the rest at the addresses below.
NEVER: tuple[tuple[str, tuple[Network, ...]], ...] = (
    (
        "a cloud metadata service",
        _networks(
            "169.254.169.254/32",
            "fd00:ec2::/32",  # AWS over IPv6, and the credentials of EKS pods
            "fd20:ce::254/128",  # GCP over IPv6
            "100.100.100.200/32",  # Alibaba Cloud
            "168.63.129.16/32",  # Azure's wire server
            "192.0.0.192/32",  # Oracle Cloud, classic
        ),
    ),
    ("link-local", _networks("169.254.0.0/16", "fe80::/10")),
    ("unspecified", _networks("0.0.0.0/8", "::/128")),
    ("multicast", _networks("224.0.0.0/4", "ff00::/8")),
    ("broadcast or reserved", _networks("240.0.0.0/4")),
    ("of a prefix that hides other addresses", _networks("64:ff9b:1::/48")),
)
# Not globally reachable according to IANA's special-purpose registries. The interpreter's own `is_global` changes
# with its patch level, this does not. IPv6 is the other way round: only 2000::/3 has global unicast addresses.
SPECIAL_V4 = _networks(
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
SPECIAL_V6 = _networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
# IPv4 in the last 32 bits: NAT64, IPv4-translated, IPv4-compatible (RFC 6052, 2765, 4291).
WRAPPING = _networks("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")

# Ports of other protocols, which a request could be made to speak (https://fetch.spec.whatwg.org/#port-blocking).
OTHER_PROTOCOLS = frozenset(
    {
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
        110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530,
        531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190,
        5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211,
    }
)  # fmt: skip

_OWN_INGEST = re.compile(r"/devices/(?:.*/)?webhook(?:/|$)")


def bare(host: str) -> str:
    """A host as it is compared: lower case, without the dot that closes a full name."""
    return host.lower().removesuffix(".")


def is_host_name(host: str) -> bool:
    """Whether this is a name or a literal address; what is percent-encoded, empty or holds anything else is not."""
    return len(host) <= 253 and bool(_HOST_NAME.fullmatch(host) or parse(host))


def parse(text: str) -> Address | None:
    """A literal address in its proper form; ``None`` for names and for spellings such as ``0x7f.1``."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def judged(address: Address) -> Address:
    """The address that packets go to in the end: an IPv4 address wrapped into an IPv6 one is taken out of it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if inner is None and _in(address, WRAPPING) and int(address) > 1:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def is_public(address: Address) -> bool:
    """Whether this is a global unicast address."""
    address = judged(address)
    if isinstance(address, ipaddress.IPv4Address):
        return not _in(address, SPECIAL_V4)
    return address in GLOBAL_V6 and not _in(address, SPECIAL_V6)


def is_own(address: Address) -> bool:
    """Whether the address belongs to this machine. Connecting a UDP socket only asks the routing table."""
    address = judged(address)
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            return parse(probe.getsockname()[0]) == address
    except OSError:  # no route, so it is not ours either
        return False


def is_own_ingest(path: str) -> bool:
    """Whether a path, however encoded, may be the webhook of a device here (``/api/devices/<id>/webhook``)."""
    plain = re.sub(r"/+", "/", unquote(unquote(path)).replace("\\", "/").lower())
    return bool(_OWN_INGEST.search(plain.partition("?")[0]))


@attrs.frozen
class Policy:
    """The rules with the configuration's exceptions. Answers are reasons in words, ``None`` = allowed."""

    config: EgressConfig

    def port(self, port: int, trust: str) -> str | None:
        if not 1 <= port <= 65535:
            return f"{port} is not a port"
        if trust != ADMIN_TARGET and port in OTHER_PROTOCOLS:
            return f"port {port} belongs to another protocol than HTTP"
        return None

    def address(self, address: Address, host: str, trust: str) -> str | None:
        """Why ``address``, one of those that ``host`` has, may not be reached."""
        for what, networks in NEVER:
            if _in(address, networks) or _in(judged(address), networks):
                return f"{address} is {what}, which is never reached"
        if trust == ADMIN_TARGET or is_public(address) or self._is_listed(address, host):
            return None
        return f"{address} is not a public address, and the setting egress.allow does not list it"

    def _is_listed(self, address: Address, host: str) -> bool:
        networks = [network for entry in self.config.allow if (network := _network(entry)) is not None]
        return _in(judged(address), networks) or bare(host) in map(bare, self.config.allow)


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        return None


def _in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
