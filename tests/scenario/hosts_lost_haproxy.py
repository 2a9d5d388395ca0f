#!/usr/bin/env python3
"""What HAProxy with conf/haproxy/tallyd-hosts.cfg loses with a host, at 80 requests a second."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import hosts_lost

sys.exit(hosts_lost.run(hosts.Haproxy, 80))
