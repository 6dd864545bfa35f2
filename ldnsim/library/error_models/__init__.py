"""Error models of data in fits: a module for each, found by itself. `error_model.ERROR_MODELS` holds them."""
