"""Published and own scenarios with exact truth, as plots on WGS-84, and what the tracker makes of them.

Read `plane` first: how a scenario on a plane becomes plots, and estimates points of the plane again.
"""
