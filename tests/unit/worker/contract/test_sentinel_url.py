"""A URL of Sentinels: what is understood, what is refused, and what both clients are told."""

import pytest
from kombu import Connection

from worker.celery import configuration
from worker.contract.broker_url import redis_url, shown
from worker.contract.errors import SettingsError
from worker.contract.outcomes import open_redis
from worker.contract.sentinel_url import sentinels
from worker.settings.fleet import load_settings

URL = "sentinel://us%2Fer:s3%3Bcret@one:26379;sentinel://[::1]:26380;sentinel://three/2?master_name=my-master"
NORMAL = "sentinel://us%2Fer:s3%3Bcret@one:26379;sentinel://[::1]:26380;sentinel://three:26379/2?master_name=my-master"


def test_a_url_has_one_spelling() -> None:
    """Which is the same again, and says the same wherever its parts stand."""
    assert redis_url(URL) == NORMAL
    assert redis_url(NORMAL) == NORMAL
    elsewhere = "sentinel://one:26379/2?master_name=my-master;sentinel://us%2Fer:s3%3Bcret@[::1]:26380;sentinel://three"
    assert redis_url(elsewhere) == NORMAL


def test_kombu_and_redis_py_are_told_the_same() -> None:
    """Addresses, master, database, and the user with its password; kombu also at another Sentinel."""
    options = configuration(load_settings(broker_url=URL))
    named = sentinels(URL)
    assert named is not None
    with Connection(options["broker_url"], transport_options=options["broker_transport_options"]) as connection:
        for _ in range(3):
            told = (connection.userid, connection.password, connection.virtual_host)
            assert told == (named.username, named.password, "2") == ("us/er", "s3;cret", "2")
            connection.switch(next(connection.cycle))
        assert connection.transport_options["master_name"] == "my-master"
        assert len(connection.alt) == 3
    pool = open_redis(NORMAL).connection_pool
    ours = {key: pool.connection_kwargs[key] for key in ("db", "username", "password")}
    assert ours == {"db": 2, "username": "us/er", "password": "s3;cret"}
    assert named.addresses == (("one", 26379), ("::1", 26380), ("three", 26379))


def test_the_sentinels_own_password_is_theirs_alone() -> None:
    """It goes to them and not to the master, and nobody is shown either."""
    url = redis_url(f"{URL}&sentinel_password=0ther")
    named = sentinels(url)
    assert named is not None
    assert (named.connection["password"], named.password) == ("0ther", "s3;cret")
    assert "0ther" not in named.for_kombu
    assert shown(url) == NORMAL.replace("s3%3Bcret", "**")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sentinel://:s3cret@one", "must say which master"),
        ("sentinel://:s3cret@one?master_name=", "must say which master"),
        ("sentinel://:s3cret@one?master_name=a&master_name=b", "holds an option twice"),
        ("sentinel://:s3cret@one?master_name=a&socket_timeout=1", "may hold no other options than master_name,"),
        ("sentinel://:s3cret@one;redis://two?master_name=a", "is no valid URL of Sentinels; write sentinel://"),
        ("sentinel://:s3cret@one;two?master_name=a", "is no valid URL of Sentinels"),
        ("sentinel://:s3;cret@one?master_name=a", "is no valid URL of Sentinels"),
        ("sentinel://:s3cret@one;sentinel://:other@two?master_name=a", "names several users or databases"),
        ("sentinel://one/1;sentinel://two/2?master_name=s3cret", "names several users or databases"),
        ("sentinel://s3cret@one?master_name=a", "names a user without a password"),
    ],
)
def test_what_would_be_misunderstood_is_refused(url: str, sentence: str) -> None:
    """In one sentence that shows no password."""
    with pytest.raises(SettingsError) as refused:
        load_settings(broker_url=url)
    assert sentence in str(refused.value)
    assert "s3cret" not in str(refused.value)
