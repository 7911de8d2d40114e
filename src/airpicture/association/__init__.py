"""Association: which plots may belong to which tracks, how well they fit, and with what probability they do.

`candidates` is what the tracker calls. How well they fit and who gets what is worked out within a look, while states
are in the cache (`kernels.look`, by way of ``filters``), in workspaces made here. `associate` shares out given pairs by
the same kernels, for whoever has only these: tests, benchmarks, other trackers.
"""

from airpicture.association.addresses import Addresses
from airpicture.association.associate import Association, associate
from airpicture.association.index import Index, candidates

__all__ = ["Addresses", "Association", "Index", "associate", "candidates"]
