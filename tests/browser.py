"""A real browser: Debian's Chromium without a window, driven by its own ChromeDriver."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 30.0  # seconds
_PROGRAMS = ("chromium", "chromedriver")


def what_is_missing() -> str:
    """Return what has to be installed for a browser, empty where nothing is missing."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    return (
        f"{' and '.join(missing)} not found; Debian's packages chromium and chromium-driver have them"
        if missing
        else ""
    )


class Browser:
    """What a person does with a browser, and sees in it."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self._url = url

    def open(self, path: str) -> None:
        """Go to a page of the service."""
        self.driver.get(f"{self._url}{path}")

    def open_until(self, path: str, selector: str) -> WebElement:
        """Go to a page again and again until it has something that a CSS selector finds. Returns that."""

        def found(driver: webdriver.Chrome) -> WebElement | None:
            self.open(path)
            return next(iter(driver.find_elements(By.CSS_SELECTOR, selector)), None)

        return WebDriverWait(self.driver, PATIENCE).until(found, f"{path} has no {selector}.")

    def log_in(self, name: str, password: str) -> None:
        """Log in on the page that asks for it."""
        self.fill("username", name)
        self.fill("password", password)
        self.find("form [type=submit]").click()
        self.wait_for("#nav-sidebar")

    def fill(self, field: str, text: str) -> None:
        """Write into a field of a form."""
        place = self.find(f"[name={field}]")
        place.clear()
        place.send_keys(text)

    def find(self, selector: str) -> WebElement:
        """Return what a CSS selector finds first; raises NoSuchElementException."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def follow(self, words: str) -> None:
        """Click on the first link with these words."""
        self.driver.find_element(By.PARTIAL_LINK_TEXT, words).click()

    def wait_for(self, selector: str, words: str = "") -> WebElement:
        """Wait until something is shown that a CSS selector finds, and that has these words. Returns it."""

        def shown(driver: webdriver.Chrome) -> WebElement | None:
            found = driver.find_elements(By.CSS_SELECTOR, selector)
            return next((one for one in found if one.is_displayed() and words in one.text), None)

        return WebDriverWait(self.driver, PATIENCE, ignored_exceptions=[Exception]).until(
            shown, f"No {selector} with {words!r} is shown."
        )

    def complaints(self) -> list[str]:
        """Return what the browser has complained of since last asked: errors of scripts, what a policy forbade."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


def new_person(name: str, password: str, **attributes: Any) -> Any:
    """Return a new person of the staff, whose password a web process of the service understands.

    Its settings do not have the tests' quick way to hash them.
    """
    person = get_user_model()(username=name, is_staff=True, **attributes)
    person.password = PBKDF2PasswordHasher().encode(password, salt="of-the-tests")
    person.save()
    return person


@contextmanager
def browser(url: str, folder: Path, *, width: int = 1440, height: int = 1000, dark: bool = False) -> Iterator[Browser]:
    """Open a browser for the service at ``url``, and close it. ``folder`` is for what it keeps meanwhile."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in (
        "--headless=new",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # which refuses root
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-proxy-server",
        "--force-device-scale-factor=1",
        f"--window-size={width},{height}",
        f"--user-data-dir={folder}",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver, url)
    finally:
        driver.quit()
