"""Sweeps: batched training of many members, compiled, laid out over devices and saved in parts."""
