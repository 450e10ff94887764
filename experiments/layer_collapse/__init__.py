"""Deep networks on sentences: how far each layer has collapsed."""
