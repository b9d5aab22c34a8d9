"""What is kept. Nothing outside this package queries a database."""
