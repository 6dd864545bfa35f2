"""File formats: a module for each, found by itself. `output_files.FORMATS` holds them."""
