import pytest

from app.errors import InputError
from app.outbound.addresses import check_url, is_public


@pytest.mark.parametrize(
    "url",
    ["https://hooks.example.com", "https://example.com:443/a?b=c", "https://xn--bcher-kva.example/in"],
)
def test_a_webhook_may_be_there(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "", "http://example.com", "ftp://example.com", "https://", "https://localhost/a", "https://127.0.0.1/",
        "https://[::1]/", "https://0x7f.1/", "https://2130706433/", "https://example.com:8080/",
        "https://example.com:x/", "https://user@example.com/", "https://user:word@example.com/",
        "https://example.com/#a", "https://exa mple.com/", "https://example.com/\n", "https://[::1/",
        "https://bücher.example/", "//example.com", "https://example.com\\@127.0.0.1/",
        f"https://example.com/{'a' * 2000}",
    ],
)  # fmt: skip
def test_a_webhook_may_not_be_there(url: str) -> None:
    with pytest.raises(InputError):
        check_url(url)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_an_address_of_the_public_internet_may_be_reached(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1",
        "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2001:0:7f00:1::", "fec0::1", "not an address", "",
    ],
)  # fmt: skip
def test_any_other_address_may_not(address: str) -> None:
    assert not is_public(address)


def test_a_public_address_in_the_clothes_of_the_newer_protocol_is_still_public() -> None:
    assert is_public("::ffff:8.8.8.8")
