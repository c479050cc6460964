"""``python -m training``: the command line of what makes the model."""

from training.command_line import main

if __name__ == "__main__":
    main(prog_name="python -m training")
