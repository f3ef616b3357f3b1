"""A process that serves, and a command that only asks, carry nothing of what trains."""

from __future__ import annotations

import subprocess
import sys


def test_the_command_loads_what_trains_only_when_it_is_called_to_train() -> None:
    heavy = "{'sklearn', 'lightfm', 'matplotlib', 'scipy.stats'}"
    asked = f"import sys, app.cli; print(*({heavy} & {{*sys.modules}}))"
    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
