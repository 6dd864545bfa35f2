"""Many cells of one question: any design over any address, on threads or a cluster, never losing a cell.

cells      axes and design -> cells, their changes and coordinates
layout     cells and people -> blocks, which are the chunks of the result
plan       what is asked, checked and laid out before any work
blocks     a block -> its arrays, by the same road as a single run
memory, store   where blocks go: arrays, or a Zarr directory that can be gone on with
forecast, progress   what it will take, and how far it is
running    blocks in flight, on threads or a Dask cluster
sweep      all of it: the function `ldnsim.sweep`
"""
