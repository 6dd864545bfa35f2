"""Systems of equations in, arrays out. Plain floats in coherent units; no names of doses, people or clocks.

Every solver has the signature of `reference.solve`, so that one can stand for another; `choose.solver` picks one by
its name, from the modules in `solvers/`.

    graph -> derivative -> lu -> program   equations to kernels, in symbols
    rodas5p, lanes, job, driver            the method as a table, and the loop that runs it over lanes
    pieces, record, room                   outputs within windows as polynomials, one per step
    translate, functions, build            driver and kernels to LLVM text
    machine, cache, native                 native code, kept on disk, called
    reference, equations                   the slow solver that tests compare with
    checks                                 what both refuse
    guard                                  comparisons on states: none changes twice within a step
    switches, stops, intervals             comparisons on the time become events, so that no step goes over one
    cycles, orbit, steady                  states that come back: the drug-free rhythm that every run starts on, and
                                           the steady state of a regimen
"""
