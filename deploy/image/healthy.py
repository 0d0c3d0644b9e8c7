#!/usr/bin/env python3
"""`healthy URL`: exit code 0 when the URL answers 2xx within three seconds. The image's health checks use it."""

import sys
from http.client import HTTPException
from urllib.request import urlopen

try:
    with urlopen(sys.argv[1], timeout=3):
        pass
except (OSError, HTTPException) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
