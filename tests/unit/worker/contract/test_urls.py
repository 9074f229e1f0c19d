"""URLs have one form, stay where they are meant to be, and are shown without what may be secret."""

import pytest

from worker.contract.errors import RowError
from worker.contract.urls import is_below, normalised, require_named, scheme_of, shown, split


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("s3://bucket/a.png", "s3://bucket/a.png"),
        ("S3://bucket/in/./b/../a.png", "s3://bucket/in/a.png"),
        ("s3://bucket/in/%2E%2e/a.png", "s3://bucket/a.png"),
        ("s3://bucket/a//b.png", "s3://bucket/a//b.png"),  # a key may have an empty part
        ("gs://bucket/two words, ü?#.png", "gs://bucket/two words, ü?#.png"),
        ("hf://datasets/user/repo@main/a.png", "hf://datasets/user/repo@main/a.png"),
        ("HTTPS://Images.Example.ORG/b/../a.png?token=1#part", "https://images.example.org/a.png?token=1"),
    ],
)
def test_a_url_has_one_form(url: str, form: str) -> None:
    """The scheme is in small letters, "." and ".." are followed, and a key stays as it is."""
    assert normalised(url) == form
    assert normalised(form) == form


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://bucket", "names no object; write s3://its-bucket/its/key"),
        ("s3:///a.png", "names no object"),
        ("s3://bucket/../other/a.png", "leads out of its bucket"),
        ("s3://bucket/a/../%2e%2e/a.png", "leads out of its bucket"),
        ("s3://key:secret@bucket/a.png", "has a user or a password in it"),
        ("s3://key:sec/secret@bucket/a.png", "has a user or a password in it"),
        ("s3://key:12/secret@bucket/a.png", "has a user or a password in it"),
        ("https://me:a/secret@host/a.png", "has a user or a password in it"),
        ("https://me:a#secret@host/a.png", "has a user or a password in it"),
        ("https://host?secret/a.png", "is no URL"),
        ("https://host:secret/a.png", "is no URL"),
    ],
)
def test_what_is_no_object_is_refused(url: str, reason: str) -> None:
    """A bucket alone, a way out of it and a password are each said, and none of it is quoted."""
    with pytest.raises(ValueError, match=reason) as refused:
        normalised(url)
    assert "secret" not in str(refused.value)


def test_a_port_is_no_password() -> None:
    """A host may have one, and so may an address of the new internet, which has colons of its own."""
    for url in ("https://host:8443/@me/a.png", "https://[2606:2800::1]:8443/a.png", "https://[2606:2800::1]/a.png"):
        assert (normalised(url), shown(url)) == (url, url)


def test_a_folder_may_be_a_bucket() -> None:
    """What confines URLs may be a bucket alone, with or without a slash at its end."""
    assert [normalised(f"s3://bucket{end}", folder=True) for end in ("", "/", "/in/")] == [
        "s3://bucket",
        "s3://bucket",
        "s3://bucket/in",
    ]


@pytest.mark.parametrize(
    ("url", "is_inside"),
    [
        ("s3://bucket/in/a.png", True),
        ("s3://bucket/in/b/a.png", True),
        ("s3://bucket/in", False),
        ("s3://bucket/in-of-others/a.png", False),
        ("s3://bucket-of-others/in/a.png", False),
        ("gs://bucket/in/a.png", False),
    ],
)
def test_a_root_holds_what_lies_below_it(url: str, *, is_inside: bool) -> None:
    """Neither a name that begins alike nor another store of the same names lies below a root."""
    assert is_below(url, "s3://bucket/in") == is_inside


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://me:secret@host/a.png?X-Amz-Signature=secret", "https://host/a.png"),
        ("s3://key:secret@bucket/a.png", "s3://bucket/a.png"),
        ("s3://key:sec/secret@bucket/a.png", "s3://bucket/a.png"),
        ("s3://key:12/secret@bucket/a.png", "s3://bucket/a.png"),
        ("s3:///key:sec/secret@bucket/a.png", "s3://bucket/a.png"),
        ("https://me:a/secret@host/a.png?me@secret", "https://host/a.png"),
        ("https://me:a#secret@host/a.png", "https://host/a.png"),
        ("https://me:secret?/@host/a.png", "https://…"),
        ("s3://key:secret/a.png", "s3://…"),
        ("https://host:port/a.png", "https://host:port/a.png"),
        ("me:a/secret@host", "host"),
    ],
)
def test_secrets_are_not_shown(url: str, said: str) -> None:
    """User, password and query are left out, whatever characters they have; where their end is unclear, all is."""
    assert shown(url) == said


def test_a_path_is_no_url() -> None:
    """A scheme is what stands before ://, at the very beginning."""
    assert [scheme_of(text) for text in ("/a/b", "a/s3://b", "data:image/png", "S3://b/c")] == [None, None, None, "s3"]
    assert split("s3://bucket/in/a.png") == ("bucket", "in/a.png")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://a.example/x.png", None),
        ("https://a.example:443/x.png", None),
        ("https://a.example./x.png", None),
        ("https://b.example:8443/x.png", None),
        ("https://b.example/x.png", "is on no host"),
        ("https://a.example:8443/x.png", "is on no host"),
        ("https://sub.a.example/x.png", "is on no host"),
        ("https://a.example.evil.org/x.png", "is on no host"),
        ("https://a.example:no/x.png", "is no URL"),
        ("http://a.example/x.png", "is at http://"),
    ],
)
def test_only_named_hosts_are_asked(url: str, reason: str | None) -> None:
    """A host is named as a whole, and with its port where that is another than 443."""
    hosts = ("a.example", "b.example:8443")
    if reason is None:
        require_named(url, hosts)
    else:
        with pytest.raises(RowError, match=reason):
            require_named(url, hosts)
