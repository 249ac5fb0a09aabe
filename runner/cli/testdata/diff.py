# The reference of TestTheIntervalOfADifference: the paired t interval of scipy.
import numpy
from scipy import stats

a = numpy.array([0.10, 0.25, 0.50, 0.00, 0.75, 1.00, 0.30, 0.45, 0.60, 0.20, 0.90, 0.35])
b = numpy.array([0.20, 0.15, 0.80, 0.00, 1.00, 1.00, 0.55, 0.40, 0.95, 0.50, 0.85, 0.70])
r = stats.ttest_rel(b, a)
low, high = r.confidence_interval(0.95)
print(f"{(b - a).mean():.10f} {low:.10f} {high:.10f} {r.pvalue:.10f}")
