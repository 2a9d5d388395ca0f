#!/usr/bin/env python3
"""The contract through lighttpd with conf/lighttpd/tallyd.conf."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import contract
import fronts

sys.exit(contract.run(fronts.Lighttpd))
