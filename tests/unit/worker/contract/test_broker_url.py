"""The broker's URL: what is refused, and what kombu and redis-py both make of what is not."""

import traceback
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kombu.utils import url as kombu
from redis import connection as redis_py

from worker.celery import configuration
from worker.contract.broker_url import for_redis_py, redis_url, shown, tls_options
from worker.contract.errors import SettingsError
from worker.settings.fleet import load_settings

SAFE = "ssl_cert_reqs=required&ssl_check_hostname=true"


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("redis://host", "redis://host"),
        ("redis://:pw@host:6380/1", "redis://:pw@host:6380/1"),
        ("redis://host:6380/1/", "redis://host:6380/1"),
        (" redis://host/1\n", "redis://host/1"),
        ("redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
        ("redis+socket:///run/redis.sock?virtual_host=3", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("rediss://host", f"rediss://host?{SAFE}"),
        ("rediss://u:p%40@[::1]:6380/1", f"rediss://u:p%40@[::1]:6380/1?{SAFE}"),
        ("rediss://host/0?ssl_ca_certs=/etc", f"rediss://host/0?{SAFE}&ssl_ca_certs=/etc"),
        ("rediss://host?ssl_cert_reqs=none", "rediss://host?ssl_cert_reqs=none&ssl_check_hostname=true"),
        ("rediss://host?ssl_check_hostname=false", "rediss://host?ssl_cert_reqs=required&ssl_check_hostname=false"),
    ],
)
def test_tls_is_verified_unless_told_otherwise(url: str, normal: str) -> None:
    """A URL says of TLS all that the clients would assume differently, and so does the one that comes of it."""
    assert redis_url(url) == normal
    assert redis_url(normal) == normal


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("redis://host/0?password=s3cret", "may hold nothing after its database"),
        ("redis://host?ssl_ca_certs=/etc", "belong to rediss://"),
        ("rediss://host/0?username=u&password=s3cret", "may hold no other options than ssl_cert_reqs"),
        ("rediss://host?ssl_password=s3cret", "may hold no other options"),
        ("rediss://host?s3cret", "may hold no other options"),
        ("rediss://host?credential_provider=s3cret:Class", "may hold no other options"),
        ("rediss://host?ssl_cert_reqs=s3cret", "must have one of required, optional, none as its ssl_cert_reqs"),
        ("rediss://host?ssl_check_hostname=no", "must have one of true, false as its ssl_check_hostname"),
        ("rediss://host?ssl_cert_reqs=none&ssl_cert_reqs=required", "holds an option twice"),
        ("rediss://host?ssl_ca_certs=/absent/ca.pem", "as its ssl_ca_certs something that cannot be read: /absent/ca."),
        ("rediss://host?ssl_keyfile=/etc", "no ssl_certfile"),
        ("redis+socket://:s3cret@/run/redis.sock", "no more than redis+socket:///its/path"),
        ("redis+socket:///run/redis.sock?password=s3cret", "no more than redis+socket:///its/path"),
        ("redis://s3cret@host", "names a user without a password"),
        ("redis://:pass;s3cret@host", "is no valid URL"),  # for kombu two URLs
        ("redis://user:12#s3cret@host", "is no valid URL"),  # a host "user", its port 12
        ("redis://user:12?s3cret@host", "is no valid URL"),
        ("redis://user:12/3s3cret@host", "is no valid URL"),
        ("redis://host/s3cret", "has a database that is no number; expected redis://HOST:PORT/DATABASE"),
        ("redis://host/0//", "has a database that is no number"),
        ("redis://host/-1", "has a database that is no number"),
        ("redis://host:s3cret/0", "has a port that is no number up to 65535; expected"),
        ("redis://host:65536/0", "has a port that is no number"),
        ("redis:///0", "has no host; expected"),
        ("redis://::1:6379/0", "and an IPv6 address in brackets"),
        ("redis://[::1/0", "and an IPv6 address in brackets"),
        ("redis+socket://", "no more than redis+socket:///its/path"),
    ],
)
def test_what_one_of_the_clients_would_misunderstand_is_refused(url: str, sentence: str) -> None:
    """It is refused in one sentence that shows no password, not even in a traceback."""
    with pytest.raises(SettingsError) as refused:
        load_settings(broker_url=url)
    assert str(refused.value).startswith("FLEET_BROKER_URL ")
    assert sentence in str(refused.value)
    assert "s3cret" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("redis://host", "redis://host"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("redis://:s3cret@[::1]:6379/0", "redis://:**@[::1]:6379/0"),
        ("redis://user:s3cret@host:6380/1", "redis://user:**@host:6380/1"),
        ("rediss://user:s3%40cret@[fe80::1%25eth0]/0", "rediss://user:**@[fe80::1%25eth0]/0"),
        ("redis+socket:///run/redis.sock?virtual_host=3", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_a_url_is_shown_as_it_was_written(url: str, seen: str) -> None:
    """With nothing escaped that was not, and without its password."""
    assert shown(redis_url(url)) == seen


@given(written=st.text(min_size=1))
@example(written="12/3")
@example(written="12#4")
@example(written="12/3?x")
@example(written="a;b")
@example(written="%40%zz@:")
def test_a_password_that_nobody_escaped_is_refused_or_understood(written: str) -> None:
    """Where it is not refused both clients read the same, and what is shown is the same for every password."""
    try:
        url = redis_url(f"rediss://user:{written}@host:6380/2")
    except ValueError:
        return
    assert kombu.parse_url(url)["password"] == redis_py.parse_url(for_redis_py(url))["password"]
    assert kombu.maybe_sanitize_url(url) == shown(url) == "rediss://user:**@host:6380/2"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:p%40@host:6380/1",
        "rediss://user:p%2Fw@host:6380/1?ssl_check_hostname=false",
        "rediss://user:pw@host/3?ssl_cert_reqs=none&ssl_certfile={file}&ssl_keyfile={file}",
        "rediss://user:pw@host/?ssl_ca_certs={file}&ssl_ca_path=/etc",
    ],
)
def test_both_clients_read_the_same(url: str, tmp_path: Path) -> None:
    """Address, user and TLS options mean to kombu, with Flower's copy of them, what they mean to redis-py."""
    path = tmp_path / "a name with % and &.pem"
    path.touch()
    url = redis_url(url.format(file=str(path).replace("%", "%25").replace("&", "%26")))
    one, other = kombu.parse_url(url), redis_py.parse_url(for_redis_py(url))
    names = {"hostname": "host", "port": "port", "userid": "username", "password": "password"}
    assert {key: one[name] for name, key in names.items() if one[name]} == {
        key: other[key] for key in names.values() if key in other
    }
    assert int(one["virtual_host"] or 0) == other.get("db", 0)
    options = {name: value for name, value in other.items() if name.startswith("ssl_")}
    assert tls_options(url) == options
    assert {**one.get("ssl", {}), **_words(one.get("ssl", {}))} == options


def _words(options: dict[str, Any]) -> dict[str, str]:
    """Spell kombu's constants as redis-py does."""
    return {
        name: value.name.removeprefix("CERT_").lower() for name, value in options.items() if name == "ssl_cert_reqs"
    }


def test_a_unix_socket_is_spelt_as_redis_py_has_it() -> None:
    """Its path and its database are the same as kombu's."""
    read = redis_py.parse_url(for_redis_py(redis_url("redis+socket:///run/redis.sock?virtual_host=3")))
    assert (read["path"], read["db"]) == ("/run/redis.sock", 3)


@pytest.mark.parametrize(("url", "expected"), [("rediss://host", True), ("redis://host", False)])
def test_celery_is_told_of_tls_beside_the_url(url: str, *, expected: bool) -> None:
    """Flower's view of the queues reads it there, and must find nothing where there is no TLS."""
    assert bool(configuration(load_settings(broker_url=url))["broker_use_ssl"]) is expected
