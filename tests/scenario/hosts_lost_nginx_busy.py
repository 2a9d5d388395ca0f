#!/usr/bin/env python3
"""What nginx with conf/nginx/tallyd-hosts.conf loses with a host, at 800 requests a second."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))

import hosts
import hosts_lost

sys.exit(hosts_lost.run(hosts.Nginx, 800))
