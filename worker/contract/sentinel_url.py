"""A broker's URL that names Sentinels, which know the Redis that is the master at the moment; in kombu's form.

``sentinel://USER:PASSWORD@one:26379;sentinel://two:26379;sentinel://three:26379/0?master_name=mymaster``
"""

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

SCHEME: Final = "sentinel://"

#: Sentinels' own port, and seconds that one of them has for an answer: another may know it, too.
_PORT: Final = 26379
_PATIENCE: Final = 2.0

_OPTIONS: Final = ("master_name", "sentinel_username", "sentinel_password")


@dataclass(frozen=True, kw_only=True)
class Sentinels:
    """What such a URL says."""

    addresses: tuple[tuple[str, int], ...]
    master: str
    database: int
    #: The master's user, with a password.
    username: str | None
    password: str | None
    #: Those of the Sentinels themselves.
    sentinel_username: str | None
    sentinel_password: str | None

    @property
    def url(self) -> str:
        """The URL, spelt in one way."""
        own = {"sentinel_username": self.sentinel_username, "sentinel_password": self.sentinel_password}
        options = {"master_name": self.master, **{name: value for name, value in own.items() if value}}
        return f"{self._named(self._user())}/{self.database}?{urlencode(options, safe='')}"

    @property
    def shown(self) -> str:
        """The URL without its passwords."""
        user = f"{quote(self.username or '', safe='')}:**@" if self.password else ""
        return f"{self._named(user)}/{self.database}?{urlencode({'master_name': self.master}, safe='')}"

    @property
    def for_kombu(self) -> str:
        """The URL as kombu takes it, which reads each part for itself, and the rest from `kombu_options`."""
        user = self._user()
        return ";".join(f"{SCHEME}{user}{_host(*address)}/{self.database}" for address in self.addresses)

    @property
    def kombu_options(self) -> dict[str, Any]:
        """What kombu takes among its transport's options."""
        return {"master_name": self.master, "sentinel_kwargs": self.connection}

    @property
    def connection(self) -> dict[str, Any]:
        """How to connect to a Sentinel, for redis-py."""
        secrets = {"username": self.sentinel_username, "password": self.sentinel_password}
        # Asked once: the next one may know it, and who waits asks all of them again.
        hasty = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE, "retry": Retry(NoBackoff(), 0)}
        return {**hasty, **{name: value for name, value in secrets.items() if value}}

    def _user(self) -> str:
        if not self.password:
            return ""
        return f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@"

    def _named(self, user: str) -> str:
        first, *others = (_host(*address) for address in self.addresses)
        return ";".join([f"{SCHEME}{user}{first}", *(f"{SCHEME}{other}" for other in others)])


def sentinels(url: str) -> Sentinels | None:
    """Read such a URL; None where it is one of another kind.

    Raises:
        ValueError: it says too little, or what one of the clients would misunderstand. The URL is kept out of the
            message, since it may hold a password.

    """
    if not url.startswith(SCHEME):
        return None
    parts = [_part(text) for text in url.split(";")]
    options = _options(parts)
    users = {(part.username, part.password) for part in parts if part.username is not None or part.password is not None}
    databases = {part.path.strip("/") for part in parts} - {""}
    if len(users) > 1 or len(databases) > 1:
        raise ValueError("names several users or databases; there is one master, which knows one of each")
    username, password = next(iter(users), (None, None))
    if username and not password:
        raise ValueError("names a user without a password; write USER:PASSWORD@ or :PASSWORD@ before the first host")
    return Sentinels(
        addresses=tuple((str(part.hostname), part.port or _PORT) for part in parts),
        master=options["master_name"],
        database=int(next(iter(databases), 0)),
        username=unquote(username) if username else None,
        password=unquote(password) if password else None,
        sentinel_username=options.get("sentinel_username"),
        sentinel_password=options.get("sentinel_password"),
    )


def _part(text: str) -> SplitResult:
    try:
        part = urlsplit(text)
        _ = part.port  # raises ValueError where it is no number
    except ValueError:
        part = None
    is_valid = part is not None and part.hostname and not part.fragment and re.fullmatch(r"(/\d*)?", part.path)
    if part is None or part.scheme != "sentinel" or not is_valid or "@" in part.query:
        raise ValueError(
            "is no valid URL of Sentinels; write sentinel://:PASSWORD@HOST:26379;sentinel://HOST:26379/0?master_name=NAME,"
            " and special characters of a password as %XX"
        )
    return part


def _options(parts: list[SplitResult]) -> dict[str, str]:
    given = [option for part in parts for option in parse_qsl(part.query, keep_blank_values=True)]
    options = dict(given)
    if not {*options} <= {*_OPTIONS}:
        raise ValueError(f"may hold no other options than {', '.join(_OPTIONS)}")
    if len(options) < len(given):
        raise ValueError("holds an option twice")
    if not options.get("master_name"):
        raise ValueError("must say which master its Sentinels are asked for: ...?master_name=NAME")
    return options


def _host(name: str, port: int) -> str:
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
