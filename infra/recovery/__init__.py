"""What a person or the program asks and does beside `pulumi up` in a recovery; it declares nothing."""
