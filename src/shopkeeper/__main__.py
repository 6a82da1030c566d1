"""``python -m shopkeeper``: the commands, where the script is not on the path (a scheduler, a container)."""

from shopkeeper.cli.app import main

if __name__ == "__main__":
    main()
