#!/usr/bin/env python3
"""The contract through Apache's mod_fcgid with conf/apache/tallyd-fcgid.conf, which starts tallyd."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import contract
import fronts

sys.exit(contract.run(fronts.ApacheFcgid))
