"""Figures of the modality gap."""
