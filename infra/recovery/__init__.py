"""What is done beside `pulumi up` to have an environment back; nothing here is part of the program."""
