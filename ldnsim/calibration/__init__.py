"""Models and data: fits, validation against published facts, and model discrimination."""
