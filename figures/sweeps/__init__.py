"""Figures of any sweep: learned against predicted values over one varied axis, or over two."""
