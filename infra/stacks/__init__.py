"""One module per stack role; each reads as a table of contents."""
