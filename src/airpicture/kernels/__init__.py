"""Numba kernels: arrays in, arrays out. Imports numpy, numba and itself only.

Where each number of a track and of a plot stands is in ``layout``, what makes a function a kernel in ``_jit``, how a
track's four models become one stream of vector instructions in ``lanes``. By phase of a step, in its order::

    plots in        register, placing, slant, copies, looks, clutter, latency
    candidates      cells, meeting, crowd, components, blocks
        few plots   near, index, at_once
    a look          look, room, fetching, briefs
        predict     ahead, bank, moving, vertical, elementary
        weigh       scoring, sight, odds, conditioning, measuring, polar, blind
        share out   thinning, clusters, joint, exact, apart, belief, assign
        update      folding, learn, pace, closing, lost, rivals
    messages        addresses, messages
    beginnings      patches, births, prospects, search, around, picking, chains, trials, fours, begin, arrivals, born
        waiting     pool, desk
    ageing          life, twins, claims
    the picture     snapshot, abreast, angles
    the store       records, kept, ticks

    hindsight       smooth, fuse, residual, scatter, pressure
    alerts          entry, conflict
    places          wgs84, geodesic
    formats         asterix..., modes..., capture, journal, textrows
    for all         layout, lanes, arrays, hashing, sorting, warm

Names with an underscore before them are about how kernels are compiled, and what LLVM makes of them.
"""
