"""Files to checked records: models, parts, scenarios, fits, facts and tables."""
