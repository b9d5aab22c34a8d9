"""Revisions, each of which runs on Azure SQL and on PostgreSQL. What has been released is never edited."""
