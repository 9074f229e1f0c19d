"""Images are fetched from the public internet alone."""

import pytest

from worker.contract.errors import RowError
from worker.storage.addresses import is_public, public_addresses


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1",  # noqa: S104
        "169.254.169.254", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "no address",
        "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "64:ff9b:1::5db8:d822", "fec0::1", "::93.184.216.34",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "2001:db8::1", "100::1", "4000::1",
    ],
)  # fmt: skip
def test_what_only_neighbours_see_is_not_public(address: str) -> None:
    """Neither this machine, its networks and a cloud's metadata, nor any of them within another address."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:21f:cb07::1", "::ffff:93.184.216.34", "64:ff9b::93.184.216.34"]
)
def test_the_internet_is_public(address: str) -> None:
    """Addresses of the old and the new internet, and of the old within the new."""
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "169.254.169.254", "::1"])
def test_a_private_host_is_refused_however_it_is_written(host: str) -> None:
    """The system's resolver takes addresses in many spellings; what it makes of them is what is looked at."""
    with pytest.raises(RowError, match="its host is in a private network"):
        public_addresses(host, 443)
