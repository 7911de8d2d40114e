"""Numba kernels: arrays in, arrays out. Imports numpy, numba and itself only.

Where each number of a track and of a plot stands is in ``layout``, what makes a function a kernel in ``_jit``, how a
track's four models become one stream of vector instructions in ``lanes``. By phase of a step, in its order::

    plots in        register, placing, slant, copies, looks, clutter, latency
    candidates      cells, meeting, crowd; where plots are few near, index, at_once; then components, blocks
    a look          look, room, fetching
        predict     ahead, bank, moving, vertical, elementary
        weigh       briefs, scoring, sight, odds; conditioning, measuring, polar, blind
        share out   thinning, clusters, joint, exact, apart, belief, assign
        update      folding, learn, pace, closing; then lost, rivals
    messages        addresses, messages
    beginnings      patches, births, prospects, search, around, picking, chains, trials, fours, begin, arrivals, born
        waiting     desk (what one thread works with), pool
    ageing          life, twins, claims
    the picture     snapshot, abreast, angles
    the store       records, kept, ticks

Beside the step: ``smooth``, ``fuse``, ``residual``, ``scatter``, ``pressure`` (hindsight), ``entry``, ``conflict``
(alerts), ``wgs84``, ``geodesic`` (`airpicture.geo`), ``asterix*``, ``modes*``, ``capture``, ``journal``, ``textrows``
(formats). Names with an underscore before them are about how kernels are compiled and what LLVM makes of them.
"""
