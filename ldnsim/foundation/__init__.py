"""What everything else stands on: errors, units, record fields, random streams, expressions, YAML."""
