"""Phenomena as a user would write them: one file each, registered nowhere."""
