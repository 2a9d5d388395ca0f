"""What llvm-cov export says on standard input, as a table of TAP comments."""

import json
import os
import sys

ROWS = ("scan", "literal", "plan", "walk", "window", "block", "strip", "simd", "number", "decimal", "typed", "reference", "json", "payload",
        "gather", "tally")


def share(counts):
    text = f"{counts['covered']}/{counts['count']}"
    return f"{text:>11} {counts['percent']:5.1f} %"


def main():
    files = json.load(sys.stdin)["data"][0]["files"]
    print(f"# {'file':<20}{'lines':>19}{'branches':>19}")
    for file in sorted(files, key=lambda f: f["filename"]):
        name = os.path.basename(file["filename"])
        summary = file["summary"]
        if name.startswith(ROWS) and summary["lines"]["count"] > 0:
            print(f"# {name:<20}{share(summary['lines'])}"
                  f"{share(summary['branches'])}")


main()
