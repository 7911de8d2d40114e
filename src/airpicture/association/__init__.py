"""Association: which plots may belong to which tracks, how well they fit, and with what probability they do."""

from airpicture.association.addresses import Addresses
from airpicture.association.associate import Association, associate
from airpicture.association.index import Index, candidates

__all__ = ["Addresses", "Association", "Index", "associate", "candidates"]
