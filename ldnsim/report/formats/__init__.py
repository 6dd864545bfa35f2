"""File formats: one module each, discovered automatically. `output_files.FORMATS` has them all."""
