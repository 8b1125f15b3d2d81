"""`python -m unmask …` where the console script is not installed."""

from unmask.cli import main

if __name__ == "__main__":
    main()
