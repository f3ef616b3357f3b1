import pytest

from app.events.robots import is_robot


@pytest.mark.parametrize(
    "robot",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0) Chrome/116.0",
        "Mozilla/5.0 (compatible; Baiduspider/2.0)",
        "Mozilla/5.0 (Linux; Android 11) AppleWebKit/537.36 Chrome/119.0 Mobile Chrome-Lighthouse",
        "facebookexternalhit/1.1",
    ],
)
def test_who_says_it_is_a_robot_is_one(robot: str) -> None:
    assert is_robot(robot)


@pytest.mark.parametrize(
    "browser",
    [
        "",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5",
        "Mozilla/5.0 (Linux; Android 10; CUBOT X19) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
    ],
)
def test_a_shoppers_browser_is_none(browser: str) -> None:
    assert not is_robot(browser)
