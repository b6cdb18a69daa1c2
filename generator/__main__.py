"""Makes `python -m generator` run the command line, and what pip installs."""

import gc

from generator.signals import end_at_once


def main() -> None:
    """Run the command line, from the first import on without a traceback."""
    end_at_once()
    from generator.cli.main import main as run  # noqa: PLC0415

    try:
        run()
    finally:
        # Or the interpreter, as it ends, would look for garbage in all that is loaded: 20 ms.
        gc.freeze()


if __name__ == "__main__":
    main()
