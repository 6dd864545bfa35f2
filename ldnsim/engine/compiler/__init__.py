"""Equations to native code: expression graph, derivatives, sparse LU, LLVM text, machine code and its cache."""
