"""Where pictures may go at an object store, told before anything is asked there."""

import pytest

from worker.contract.pictures_url import pictures_url


@pytest.mark.parametrize("url", ["s3://b", "s3://my.bucket-1/runs/März 1", "s3://b/...", "s3://b/a%20b"])
def test_a_bucket_and_a_prefix(url: str) -> None:
    """A prefix may have any characters that a key takes; the slash at its end is not part of it."""
    assert pictures_url(f" {url}/ ") == pictures_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "/data", "run", "s3://", "s3:/b/x", "S3://b/x", "file:///data", "s3://B/x", "s3://b/x?versionId=1", "s3://b/x#y",
        "s3://b//x", "s3://b/../x", "s3://b/x/..", "s3://b/./x", "s3://b/x\ny",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(url: str) -> None:
    """A path, a bucket that no store has, and a prefix that reads otherwise than it is meant."""
    with pytest.raises(ValueError, match=r"^must be s3://BUCKET/PREFIX, without"):
        pictures_url(url)


def test_no_secret_is_repeated() -> None:
    """Whoever puts keys into the URL is refused without a word of them."""
    with pytest.raises(ValueError, match="without a user") as refused:
        pictures_url("s3://AKIA:geheim@bucket/x")
    assert "geheim" not in str(refused.value)
    assert "AKIA" not in str(refused.value)
