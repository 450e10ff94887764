"""Devices, clusters of processes, random keys, compiled programs on disk."""
