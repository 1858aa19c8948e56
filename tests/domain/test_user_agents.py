"""Real user agents, and what is read of them."""

from __future__ import annotations

import pytest

from billing.domain.user_agents import Browser, Device, System, browser_of, device_of, is_bot, system_of

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPAD = "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
NEXUS = f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36"
WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
PEOPLE = [
    (f"{WINDOWS} Chrome/142.0.0.0 Safari/537.36", Device.DESKTOP, Browser.CHROME, System.WINDOWS),
    (f"{WINDOWS} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0", Device.DESKTOP, Browser.EDGE, System.WINDOWS),
    (f"{WINDOWS} Chrome/141.0.0.0 Safari/537.36 OPR/126.0.0.0", Device.DESKTOP, Browser.OPERA, System.WINDOWS),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        Device.DESKTOP, Browser.FIREFOX, System.LINUX,
    ),
    (f"{MAC} Version/26.0 Safari/605.1.15", Device.DESKTOP, Browser.SAFARI, System.MACOS),
    (f"{IPHONE} Version/26.0 Mobile/15E148 Safari/604.1", Device.MOBILE, Browser.SAFARI, System.IOS),
    (f"{IPHONE} CriOS/142.0.0.0 Mobile/15E148 Safari/604.1", Device.MOBILE, Browser.CHROME, System.IOS),
    (f"{IPAD} FxiOS/145.0 Mobile/15E148 Safari/605.1.15", Device.TABLET, Browser.FIREFOX, System.IOS),
    (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
     Device.MOBILE, Browser.CHROME, System.ANDROID),
    (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
     Device.TABLET, Browser.CHROME, System.ANDROID),
    (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
     Device.MOBILE, Browser.SAMSUNG, System.ANDROID),
    ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
     Device.MOBILE, Browser.FIREFOX, System.ANDROID),
    (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/142.0.0.0 Safari/537.36",
     Device.DESKTOP, Browser.CHROME, System.CHROME_OS),
    ("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
     Device.DESKTOP, Browser.OTHER, System.WINDOWS),
    ("Mozilla/5.0 (PlayStation; PlayStation 5/9.00)", Device.DESKTOP, Browser.OTHER, System.OTHER),
]  # fmt: skip
BOTS = [
    "",
    "curl/8.16.0",
    "python-requests/2.32.5",
    "Amazon CloudFront",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    f"Mozilla/5.0 {WEBKIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot) Chrome/131.0.0.0 Safari/537.36",
    f"{NEXUS} (compatible; AdsBot-Google-Mobile; +http://www.google.com/mobile/adsbot.html)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
]


@pytest.mark.parametrize(("user_agent", "device", "browser", "system"), PEOPLE)
def test_a_browser_is_known_coarsely(user_agent: str, device: Device, browser: Browser, system: System) -> None:
    assert not is_bot(user_agent)
    assert (device_of(user_agent), browser_of(user_agent), system_of(user_agent)) == (device, browser, system)


@pytest.mark.parametrize("user_agent", BOTS)
def test_what_is_no_person_is_a_bot(user_agent: str) -> None:
    assert is_bot(user_agent)


def test_a_telephone_called_cubot_is_one() -> None:
    seen = f"Mozilla/5.0 (Linux; Android 13; CUBOT P80) {WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36"

    assert not is_bot(seen)


def test_an_endless_user_agent_is_read_as_far_as_a_browser_would_write() -> None:
    assert browser_of("Mozilla/5.0 " + "(" * 100_000 + " Firefox/1") is Browser.OTHER
    assert device_of("Mozilla/5.0 (Android " * 10_000) is Device.TABLET
