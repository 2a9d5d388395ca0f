#!/usr/bin/env python3
"""The contract through Caddy with conf/caddy/tallyd.caddy."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import contract
import fronts

sys.exit(contract.run(fronts.Caddy))
