"""Figures of any sweep: learned and predicted values against one or two varied axes."""
