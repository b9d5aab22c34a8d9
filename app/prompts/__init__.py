"""Prompts as data: front matter with schemas, and a sandboxed template."""
