"""Answers as people read them: sentences, tables, terminal output and pages."""
