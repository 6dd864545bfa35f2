"""Sweeps: a scenario in many cells, by any design over any addresses, on threads or a cluster.

cells      axes and design -> cells, their changes and coordinates
layout     cells and people -> blocks, which are the chunks of the result
plan       the sweep, checked and laid out before it starts
blocks     a block -> its arrays, computed as in a single run
memory, store   where blocks are written: arrays, or a Zarr directory that can be continued
forecast, progress   the memory, disk and time needed, and the progress
running    blocks in flight, on threads or a Dask cluster
sweep      all of these: the function `ldnsim.sweep`
"""
