import pytest

from service.storage.address import BucketAddress


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("s3://videos", ("s3", "videos", "")),
        ("s3://videos/", ("s3", "videos", "")),
        ("gs://videos/rapt/a", ("gs", "videos", "rapt/a")),
        ("az://videos/rapt/", ("az", "videos", "rapt")),
    ],
)
def test_an_url_is_a_store_a_bucket_and_a_prefix(url: str, parts: tuple[str, str, str]) -> None:
    address = BucketAddress.parse(url)
    assert (address.scheme, address.bucket, address.prefix) == parts
    assert str(address) == url.removesuffix("/")


@pytest.mark.parametrize("url", ["/videos", "file:///videos", "https://videos/a", "S3://videos"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^give s3://BUCKET/PREFIX, gs://"):
        BucketAddress.parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://KEY:secret@videos/a",
        "s3://key:secret@videos",
        "az://videos/a?sig=secret",
        "s3://videos/a#secret",
        "s3://videos/../a",
        "s3://videos//a",
        "s3:///a",
    ],
)
def test_an_url_with_more_in_it_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^only a bucket and a plain prefix belong") as told:
        BucketAddress.parse(url)
    assert "secret" not in str(told.value)
