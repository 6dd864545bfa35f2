"""Models and data: fits, validation against published facts, and which observation tells accounts apart."""
