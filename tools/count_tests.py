"""Prints "passed failed skipped" of a JUnit file (ctest --output-junit, pytest --junitxml).

    tools/count_tests.py FILE
"""

import sys
import xml.etree.ElementTree as ElementTree


def count(path):
    """Counts by test case, not by the totals of the file: ctest and pytest write those differently."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


if __name__ == "__main__":
    print(*count(sys.argv[1]))
