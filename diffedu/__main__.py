"""The command line: `python -m diffedu lab` opens the course in JupyterLab."""

import argparse
import sys
from collections.abc import Sequence

from diffedu.launch import lab


def port_number(text: str) -> int:
    """A port from the command line."""
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected 1..65535, got {text}")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and do what it says; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m diffedu")
    commands = parser.add_subparsers(dest="command", required=True, metavar="lab")
    options = commands.add_parser("lab", help="open the course in JupyterLab")
    options.add_argument("--port", type=port_number, default=8888)
    options.add_argument("--ip", default="127.0.0.1", help="0.0.0.0 inside a container")
    options.add_argument("--no-browser", action="store_true", help="only print the address")
    args = parser.parse_args(argv)
    return lab(args.port, args.ip, open_browser=not args.no_browser)


if __name__ == "__main__":
    sys.exit(main())
