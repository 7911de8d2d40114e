"""Compare tracks with truth, or with the tracks of a reference: metrics and reports.

`evaluate` makes a `Report` of two tables. `gospa` and `ospa` are the bare set distances. What each figure means, and
how the two tables are brought to common instants, is told in ``docs/metrics.md``.
"""

from airpicture.evaluation.evaluator import evaluate
from airpicture.evaluation.report import Report
from airpicture.evaluation.sets import Gospa, Ospa, gospa, ospa

__all__ = ["Gospa", "Ospa", "Report", "evaluate", "gospa", "ospa"]
