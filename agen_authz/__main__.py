"""`python -m agen_authz` is the same as `agen-authz`."""

from agen_authz.cli import main

if __name__ == "__main__":
    main()
