"""Which addresses a webhook may go to."""

from ipaddress import ip_address, ip_network

import pytest
from yarl import URL

from emotion.errors import InvalidRequest
from service.delivery.targets import check_address, check_webhook, look_up
from service.settings import Settings
from tests.webhook_server import SECRET

HIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104  # refused
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:100.64.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:0:5ef5:79fb::1",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"]


def settings_of(**more: object) -> Settings:
    return Settings.model_validate({"webhook_secret": SECRET, **more})


@pytest.mark.parametrize("address", HIDDEN)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^webhook: its host is not a public address\."):
        check_address(ip_address(address), ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called(address: str) -> None:
    check_address(ip_address(address), ())


def test_a_network_of_the_settings_is_called_too_and_no_more() -> None:
    networks = settings_of(webhook_networks="10.1.0.0/16, fd00::/8").allowed_networks
    assert networks == (ip_network("10.1.0.0/16"), ip_network("fd00::/8"))
    for allowed in ("10.1.2.3", "::ffff:10.1.2.3", "fd12::1"):
        check_address(ip_address(allowed), networks)
    for refused in ("10.2.0.1", "fe80::1"):
        with pytest.raises(InvalidRequest):
            check_address(ip_address(refused), networks)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "https://example.com:8443/hook?token=1",
        "https://bücher.example/",
        "https://1.1.1.1/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_a_whole_https_url_may_be_a_webhook(url: str) -> None:
    assert check_webhook(url, settings_of()) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///hook",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/\r\nX-Evil: 1",
        "https://example.com/" + "a" * 2048,
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://①②⑦.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://example.0/",
        "https://1.1.1.1.1./",
    ],
)
def test_anything_else_is_refused_at_once(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^webhook: "):
        check_webhook(url, settings_of())


def test_http_is_a_setting() -> None:
    url = "http://example.com/"
    assert check_webhook(url, settings_of(webhook_insecure=True)) == url


def test_without_a_secret_there_are_no_webhooks() -> None:
    with pytest.raises(InvalidRequest, match="RAPT_WEBHOOK_SECRET"):
        check_webhook("https://example.com/", Settings())


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001", "0"])
async def test_whatever_way_a_host_is_written_its_address_is_judged(host: str) -> None:
    with pytest.raises(InvalidRequest, match="not a public address"):
        await look_up(URL(f"https://{host}/"), ())


async def test_a_host_with_one_hidden_address_is_refused_whole() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "fe80::1%eth0"]

    with pytest.raises(InvalidRequest, match="not a public address"):
        await look_up(URL("https://example.com/"), (), resolver)


async def test_addresses_come_in_the_resolvers_order_each_once() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "2606:4700::1", "1.1.1.1"]

    found = await look_up(URL("https://example.com/"), (), resolver)
    assert found == [ip_address("1.1.1.1"), ip_address("2606:4700::1")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook_secret", "secret"),
        ("webhook_secret", "whsec_c2hvcnQ="),
        ("webhook_secret", "whsec_" + "!" * 40),
        ("webhook_secret", f"{SECRET} whsec_"),
        ("webhook_networks", "10.0.0.1/8"),
        ("webhook_networks", "intranet"),
    ],
)
def test_a_setting_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        Settings.model_validate({name: value})
