"""Releases and backups."""
