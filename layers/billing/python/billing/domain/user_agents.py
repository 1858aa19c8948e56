"""What a user agent says of device, browser and system: coarsely, so that nobody is known by it."""

from __future__ import annotations

import re
from enum import StrEnum


class Device(StrEnum):
    DESKTOP = "desktop"
    MOBILE = "mobile"
    TABLET = "tablet"


class Browser(StrEnum):
    CHROME = "chrome"
    EDGE = "edge"
    FIREFOX = "firefox"
    OPERA = "opera"
    SAFARI = "safari"
    SAMSUNG = "samsung"
    OTHER = "other"


class System(StrEnum):
    ANDROID = "android"
    CHROME_OS = "chrome-os"
    IOS = "ios"
    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"
    OTHER = "other"


_READ = 512  # characters: no browser says more that matters here
# They say so themselves, or are no browser at all: each begins with Mozilla since 1994. Cubot makes telephones.
_BOT = re.compile(
    r"(?<!cu)bot(?:\b|_)|crawl|spider|slurp|headless|lighthouse|phantomjs|puppeteer|playwright|selenium|pingdom"
    r"|uptime|monitor|preview|facebookexternalhit|feedfetcher|mediapartners|scrap|archiver|validator|python|curl|wget"
    r"|java/",
    re.IGNORECASE,
)
# The first that fits: nearly all of them call themselves Chrome and Safari as well.
_BROWSERS = (
    (re.compile(r"\bEdg(?:e|A|iOS)?/"), Browser.EDGE),
    (re.compile(r"\bOPR/|\bOPT/|\bOpera\b"), Browser.OPERA),
    (re.compile(r"\bSamsungBrowser/"), Browser.SAMSUNG),
    (re.compile(r"\bFirefox/|\bFxiOS/"), Browser.FIREFOX),
    (re.compile(r"\bChrome/|\bChromium/|\bCriOS/"), Browser.CHROME),
    (re.compile(r"\bVersion/[^ ]+ (?:Mobile/[^ ]+ )?Safari/"), Browser.SAFARI),
)
_SYSTEMS = (
    (re.compile(r"\biPhone\b|\biPad\b|\biPod\b"), System.IOS),
    (re.compile(r"\bAndroid\b"), System.ANDROID),
    (re.compile(r"\bCrOS\b"), System.CHROME_OS),
    (re.compile(r"\bWindows\b"), System.WINDOWS),
    (re.compile(r"\bMacintosh\b"), System.MACOS),
    (re.compile(r"\bLinux\b"), System.LINUX),
)
_TABLET = re.compile(r"\biPad\b|\bTablet\b|\bAndroid\b(?!.*\bMobile\b)")
_MOBILE = re.compile(r"\bMobile\b|\biPhone\b|\biPod\b")


def is_bot(user_agent: str) -> bool:
    """Whether it says that no person looks; who pretends to be a browser passes for one."""
    return not user_agent.startswith("Mozilla/") or _BOT.search(user_agent[:_READ]) is not None


def device_of(user_agent: str) -> Device:
    """An iPad that asks for the pages of a Mac, as they do today, is a desktop: it cannot be told from one."""
    seen = user_agent[:_READ]
    if _TABLET.search(seen):
        return Device.TABLET
    return Device.MOBILE if _MOBILE.search(seen) else Device.DESKTOP


def browser_of(user_agent: str) -> Browser:
    return next((family for known, family in _BROWSERS if known.search(user_agent[:_READ])), Browser.OTHER)


def system_of(user_agent: str) -> System:
    return next((family for known, family in _SYSTEMS if known.search(user_agent[:_READ])), System.OTHER)
