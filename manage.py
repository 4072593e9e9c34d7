#!/usr/bin/env python
"""Django's command line for this service."""

import os
import sys

from django.core.management import execute_from_command_line

from config.start import refusing_wrong_configuration

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with refusing_wrong_configuration():
        execute_from_command_line(sys.argv)
