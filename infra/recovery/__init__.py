"""What a person or the program asks before, during and after a recovery; it declares nothing."""
