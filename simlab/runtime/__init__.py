"""Devices, clusters of processes, random keys, signals, and the cache of compiled programs."""
