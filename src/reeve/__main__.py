"""`python -m reeve` is the command `reeve`."""

from reeve.cli import main

if __name__ == "__main__":
    main()
