"""What an error of a store means: that there is no such object, that it is closed to us, or that it may pass."""

from collections.abc import Iterator
from typing import Any, Final

from worker.contract.errors import RowError, TransientError

#: Answers that may pass by themselves: of HTTP below 500, and by the codes of S3.
_PASSING_STATUS: Final = frozenset({408, 425, 429})
_PASSING_CODES: Final = frozenset({
    "BadDigest", "ExpiredToken", "IncompleteBody", "InternalError", "OperationAborted", "RequestTimeout",
    "RequestTimeTooSkewed", "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException",
    "TooManyRequestsException", "XAmzContentSHA256Mismatch",
})  # fmt: skip

#: Errors without an answer, by the names of their classes, since none of these libraries need be installed: a host that
#: is not found or does not answer, a connection that is cut.
_CUT: Final = frozenset({
    "ClientConnectionError", "ClientPayloadError", "ConnectionError", "HTTPClientError",
    "IncompleteRead", "IncompleteReadError", "ProtocolError", "ResponseParserError", "ServiceRequestError",
    "SSLError", "ServiceResponseError", "Timeout", "TimeoutError", "TransportError",
})  # fmt: skip

#: One of them, but nothing that passes.
_NOT_CUT: Final = "SSLCertVerificationError"

#: And of credentials that are not there, or not whole.
_CREDENTIALS: Final = frozenset({
    "ClientAuthenticationError", "CredentialRetrievalError", "DefaultCredentialsError", "NoCredentialsError",
    "PartialCredentialsError", "ProfileNotFound", "TokenRetrievalError",
})  # fmt: skip

_SERVER: Final = 500
_CHANGED: Final = 412
_DENIED: Final = frozenset({401, 403})


class Absent(RowError):  # noqa: N818 - as an object is
    """There is no such object."""


class NoBucket(Absent):
    """Nor is there its bucket, as far as its store says so: what an object's absence means, that does not mean."""


class Changed(RowError):  # noqa: N818 - as an object is
    """It is another than the one that was asked about."""


def meaning_of(error: Exception) -> RowError:
    """Return what a library's error means for a row, as a reason: a sentence without its beginning and its dot.

    Nothing of the error's own text is in it, which may have a signed URL or a key in it.
    """
    chain = list(_causes(error))
    status = next((found for one in chain if (found := _status(one))), None)
    code = next(filter(None, map(_code, chain)), "")
    names = set().union(*map(_names, chain))
    # First: what aiohttp raises of an answer that breaks off has a status that nobody sent.
    if _names(error) & _CUT and _NOT_CUT not in _names(error):
        return TransientError(f"its store cannot be reached, or was cut off ({type(error).__name__})")
    what = " ".join(dict.fromkeys(filter(None, [str(status or ""), code]))) or type(chain[-1]).__name__
    if code in _PASSING_CODES or (status is not None and (status >= _SERVER or status in _PASSING_STATUS)):
        return TransientError(f"its store has trouble for the moment ({what})")
    return _lasting(status, code, names, what)


def _lasting(status: int | None, code: str, names: set[str], what: str) -> RowError:
    if status == _CHANGED:
        return Changed("was overwritten while it was read")
    if names & _CREDENTIALS:
        return RowError(f"needs credentials, and this machine has none that hold ({what})")
    if status in _DENIED or "PermissionError" in names:
        return RowError(f"access is denied ({what}); look at this machine's credentials and their rights")
    if "FileNotFoundError" in names:
        return NoBucket("no such bucket") if code == "NoSuchBucket" else Absent("no such object")
    return RowError(f"its store refuses ({what})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _names(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: BaseException) -> int | None:
    """Return the status of HTTP with which a store has answered, wherever its library has it."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(response, "status_code", None) or getattr(error, "status", getattr(error, "status_code", None))
        status = status or getattr(error, "code", None)
    return status if isinstance(status, int) else None


def _code(error: BaseException) -> str:
    """Return S3's own code."""
    response: Any = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return code if isinstance(code, str) and code.isalnum() else ""
