"""A worker's pulse, as its watchdog gives it and as those outside feel it."""

import os
import re
import subprocess
import time
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command

from tasks.pulse import Pulse, seconds_since


@pytest.fixture
def file(tmp_path, settings):
    settings.WORKER_PULSE_FILE = tmp_path / "worker.pulse"
    return settings.WORKER_PULSE_FILE


def age(file, seconds):
    then = time.time() - seconds
    os.utime(file, (then, then))


def health():
    out = StringIO()
    call_command("worker_health", stdout=out)
    return out.getvalue()


def test_a_worker_whose_heart_beats_is_alive(file):
    Pulse().beat()
    age(file, 55)
    assert health() == "The worker is alive.\n"
    assert seconds_since() == pytest.approx(55, abs=4)
    Pulse().beat()
    assert seconds_since() == pytest.approx(0, abs=4)


def test_one_whose_heart_has_stopped_is_not(file):
    Pulse().beat()
    age(file, 65)
    with pytest.raises(CommandError, match=r"^The worker has had no pulse for 6\d seconds\.$"):
        health()


def test_nor_is_one_that_was_never_there(file):
    with pytest.raises(CommandError, match=r"^No worker has had a pulse here: there is no .*worker\.pulse\.$"):
        health()


def test_a_file_that_cannot_be_written_is_told_once_and_kills_nobody(file, settings, caplog):
    settings.WORKER_PULSE_FILE = file / "below" / "a" / "file"
    pulse = Pulse()
    pulse.beat()
    pulse.beat()
    [told] = caplog.messages
    assert told.startswith("WORKER_PULSE_FILE cannot be written, so manage.py worker_health fails: ")
    settings.WORKER_PULSE_FILE = file
    pulse.beat()
    assert file.exists()


@pytest.mark.parametrize(("seconds", "code"), [(0, 0), (50, 0), (70, 1), (None, 1)])
def test_the_probe_of_compose_says_the_same(file, settings, seconds, code):
    compose = yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())
    kind, command = compose["services"]["worker"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    if seconds is not None:
        file.touch()
        age(file, seconds)
    line = re.sub(r"\S+/worker\.pulse", str(file), command.replace("$$", "$"))
    assert subprocess.run(["sh", "-c", line], check=False, stderr=subprocess.DEVNULL).returncode == code
