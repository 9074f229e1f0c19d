"""Where a host of the internet is: never in this machine, nor in a network that only it and its neighbours see."""

import ipaddress
import socket
from typing import Final

from worker.contract.errors import RowError, TransientError

#: Addresses that lead to one of the old internet, by its number at their end.
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")

#: All that the new internet has given away; what is beside it are forms for special use, old ones among them.
_GIVEN: Final = ipaddress.IPv6Network("2000::/3")


def public_addresses(host: str, port: int) -> tuple[str, ...]:
    """Resolve a host, once; whoever connects takes these addresses, since a second answer could be another.

    Raises:
        RowError: one of them is private, of this machine or of its link, as a cloud's metadata are.
        TransientError: no address is found.

    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a name that no host can have
        raise TransientError("no address of its host is found") from None
    addresses = tuple(dict.fromkeys(str(address[0]) for *_, address in found))
    if not all(map(is_public, addresses)):
        raise RowError("its host is in a private network; images are fetched from public addresses alone")
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, also where it has another one within it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # with a zone, as addresses of a link have it
        return False
    if isinstance(found, ipaddress.IPv6Address):
        within = _within(found)
        if within is None and found not in _GIVEN:
            return False
        found = within or found
    return found.is_global and not found.is_multicast


def _within(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address of the old internet to which one of the new leads."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo and teredo[1])
