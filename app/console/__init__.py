"""The web console: files that a browser runs. No build step."""
