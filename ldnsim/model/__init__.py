"""Models: parts, slots and accounts as records, and their composition into one system of equations."""
