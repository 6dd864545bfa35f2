"""Systems of equations in, arrays out. Plain floats in coherent units; no names of doses, people or clocks.

Every solver has the signature of `reference.solve`, so that one can stand for another.
"""
