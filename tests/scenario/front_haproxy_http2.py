#!/usr/bin/env python3
"""The contract over HTTP/2 through HAProxy with conf/haproxy/tallyd.cfg."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import contract
import fronts

sys.exit(contract.run(fronts.HaproxyHttp2))
