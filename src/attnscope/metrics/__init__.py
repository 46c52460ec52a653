"""How good an explanation is: formulas of faithfulness, sanity and agreement with people, on plain numbers."""

from attnscope.metrics.table import METRICS as METRICS
from attnscope.metrics.table import Metric as Metric
