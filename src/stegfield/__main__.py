"""``python -m stegfield``."""

from stegfield.cli import main

if __name__ == "__main__":
    main()
