"""What the libraries of stores raise is a row's error, or passes, by what it means and never in their own words."""

import asyncio
import ssl
from collections.abc import Callable

import pytest

from worker.contract.errors import TransientError
from worker.storage.meaning import Absent, NoBucket, meaning_of

exceptions = pytest.importorskip("botocore.exceptions", reason="the extra storage is not installed")
errors = pytest.importorskip("s3fs.errors")
aiohttp = pytest.importorskip("aiohttp")

URL = "https://host/a.png?X-Amz-Signature=secret"


def answered(status: int, code: str) -> Exception:
    """Return what s3fs makes of an answer."""
    response = {"Error": {"Code": code, "Message": URL}, "ResponseMetadata": {"HTTPStatusCode": status}}
    translated: Exception = errors.translate_boto_error(exceptions.ClientError(response, "GetObject"))
    return translated


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (lambda: answered(503, "SlowDown"), "its store has trouble for the moment (503 SlowDown)"),
        (lambda: answered(500, "InternalError"), "its store has trouble for the moment (500 InternalError)"),
        (lambda: answered(429, "TooManyRequests"), "its store has trouble for the moment (429 TooManyRequests)"),
        (lambda: answered(400, "BadDigest"), "its store has trouble for the moment (400 BadDigest)"),
        (lambda: answered(400, "ExpiredToken"), "its store has trouble for the moment (400 ExpiredToken)"),
        (
            lambda: exceptions.EndpointConnectionError(endpoint_url=URL),
            "its store cannot be reached, or was cut off (EndpointConnectionError)",
        ),
        (
            lambda: exceptions.ReadTimeoutError(endpoint_url=URL),
            "its store cannot be reached, or was cut off (ReadTimeoutError)",
        ),
        (
            lambda: aiohttp.ClientPayloadError(URL),
            "its store cannot be reached, or was cut off (ClientPayloadError)",
        ),
        (lambda: ConnectionResetError(URL), "its store cannot be reached, or was cut off (ConnectionResetError)"),
        (lambda: ssl.SSLError(URL), "its store cannot be reached, or was cut off (SSLError)"),
        (asyncio.TimeoutError, "its store cannot be reached, or was cut off (TimeoutError)"),
    ],
)
def test_what_may_pass(error: Callable[[], Exception], reason: str) -> None:
    """A store that is busy or broken, a digest that did not hold on the way, and a connection that is cut."""
    meaning = meaning_of(error())
    assert (type(meaning), str(meaning)) == (TransientError, reason)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (lambda: answered(403, "AccessDenied"), "access is denied (403 AccessDenied); look at "),
        (lambda: answered(403, "SignatureDoesNotMatch"), "access is denied (403 SignatureDoesNotMatch); look at "),
        (lambda: answered(403, "403"), "access is denied (403); look at "),
        (exceptions.NoCredentialsError, "needs credentials, and this machine has none that hold (NoCredentialsError)"),
        (lambda: answered(400, "InvalidBucketName"), "its store refuses (400 InvalidBucketName)"),
        (lambda: ssl.SSLCertVerificationError(URL), "its store refuses (SSLCertVerificationError)"),
        (lambda: ValueError(URL), "its store refuses (ValueError)"),
    ],
)
def test_what_stays_as_it_is(error: Callable[[], Exception], reason: str) -> None:
    """Rights, credentials, names that no bucket can have, and whatever nobody has thought of."""
    meaning = meaning_of(error())
    assert not isinstance(meaning, TransientError)
    assert str(meaning).startswith(reason)
    assert "secret" not in str(meaning)


def test_what_is_not_there() -> None:
    """Neither is an object, nor its bucket, which are told apart."""
    for code, kind, reason in (
        ("NoSuchKey", Absent, "no such object"),
        ("NoSuchBucket", NoBucket, "no such bucket"),
        ("404", Absent, "no such object"),
    ):
        meaning = meaning_of(answered(404, code))
        assert (type(meaning), str(meaning)) == (kind, reason)
