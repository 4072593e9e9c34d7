"""Take the pictures of the operators' pages for the documentation, as a browser shows them: ``make pictures``."""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from tests.pictures import gallery  # noqa: E402  it needs the settings

if __name__ == "__main__":
    sys.exit(gallery.main())
