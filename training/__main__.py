"""``python -m training``: the command line of what makes the model."""

from training.commands.main import main

if __name__ == "__main__":
    main(prog_name="python -m training")
