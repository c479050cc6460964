"""``python -m k8s.checks [FOLDER ...]``: renders folders and says what is wrong with them.

Without a folder, all overlays and examples are checked. The exit status is 1 where anything is
wrong.
"""

import sys
from pathlib import Path

from k8s.checks.rendering import Unrenderable, folders, render
from k8s.checks.rules import broken_rules


def main(arguments: list[str]) -> int:
    """Check; return the exit status."""
    wrong = 0
    for folder in [Path(one).resolve() for one in arguments] or folders():
        try:
            rendered = render(folder)
        except Unrenderable as error:
            sys.stderr.write(f"Error: {error}\n")
            return 1
        broken = broken_rules(rendered)
        lines = [f"  {one} [{name}]" for name, problems in broken.items() for one in problems]
        wrong += len(lines)
        verdict = "wrong:" if lines else "right"
        head = f"{folder.parent.name}/{folder.name}: {len(rendered.manifests)} objects, {verdict}"
        sys.stdout.write("\n".join([head, *lines]) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
