"""Many members side by side: compiled, laid out over devices, saved part by part."""
