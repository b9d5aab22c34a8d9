"""What a change would do, before it does it: the plan guard, and the report that `make preview` renders."""
