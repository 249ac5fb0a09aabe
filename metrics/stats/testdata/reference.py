"""Writes reference.json beside this script: what numpy and scipy say, for reference_test.go.

Needs numpy and scipy. Run: python reference.py
"""
import json
import pathlib

import numpy as np
from scipy import optimize, stats

NODES, WEIGHTS = np.polynomial.legendre.leggauss(600)


def compared(a, b, pool, fixed_b, level=0.95):
    """The generalized p value and half width of difference.go, by quadrature over the quantiles of both chi-squared
    variables instead of a grid over their logarithms."""
    (sa, q), sb = a.shape, b.shape[0]
    means = lambda x: x.mean(axis=1)
    between = [(means(a).var(ddof=1), sa - 1)] if sa > 1 else []
    weight, inside = 1 / sa, 0.0
    if not fixed_b:
        weight += 1 / sb
        if sb > 1:
            between.append((means(b).var(ddof=1), sb - 1))
    for x, s, counts in ((a, sa, True), (b, sb, not fixed_b)):
        if counts and s > 1:
            r = x - means(x)[:, None] - x.mean(axis=0)[None, :] + x.mean()
            inside += (r**2).sum() / ((s - 1) * (q - 1)) / (s * q)
    own_df = sum(df for _, df in between)
    own = sum(v * df for v, df in between) / own_df if own_df else 0
    value, df = own, own_df
    if pool and not own_df:
        value, df = pool[0], min(4, pool[1])
    elif pool and stats.f.cdf(own / pool[0], own_df, pool[1]) <= 0.75:
        d0 = min(4, pool[1])
        value, df = (own_df * own + d0 * pool[0]) / (own_df + d0), own_df + d0
    vq, fq = (a.mean(axis=0) - b.mean(axis=0)).var(ddof=1) / q, q - 1
    d = abs(a.mean() - b.mean())

    # Gauss-Legendre over the quantiles of both variables; the seeds' one in two pieces, that meet where the residual
    # takes all of their part.
    nodes = lambda low, high: (low + (high - low) * (NODES + 1) / 2, (high - low) * WEIGHTS / 2)
    u, wu = nodes(0, 1)
    queries = vq * fq / stats.chi2.ppf(u, fq)
    if df:
        kink = stats.chi2.cdf(value * weight * df / inside, df) if inside else 0.5
        (v1, w1), (v2, w2) = nodes(0, kink), nodes(kink, 1)
        v, wv = np.concatenate([v1, v2]), np.concatenate([w1, w2])
        seeds = np.maximum(0, value * weight * df / stats.chi2.ppf(v, df) - inside)
    else:
        seeds, wv = np.zeros(1), np.ones(1)
    w = queries[:, None] + seeds[None, :]

    def p(distance):
        return float(wu @ (2 * stats.norm.sf(distance / np.sqrt(w))) @ wv)

    half = optimize.brentq(lambda h: p(h) - (1 - level), 1e-6, 3, xtol=1e-10)
    return {"a": a.tolist(), "b": b.tolist(), "fixed_b": fixed_b, "pool": list(pool or (0, 0)), "mean": float(a.mean() - b.mean()),
            "p": p(d), "half": half}


rng = np.random.default_rng(7)
out = {"t_quantile": [], "t_cdf": [], "t_interval": [], "f_cdf": [], "compared": [], "quantile": []}
for df in [1, 2, 3, 4, 9, 29, 299]:
    for p in [0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.9999]:
        out["t_quantile"].append({"p": p, "df": df, "want": float(stats.t.ppf(p, df))})
    for t in [-6.5, -1.0, -0.01, 0.0, 0.3, 2.5, 40.0]:
        out["t_cdf"].append({"t": t, "df": df, "want": float(stats.t.cdf(t, df))})
for values in [[0.471, 0.485], [0.44, 0.47, 0.50], [0.7, 0.69, 0.71, 0.64, 0.66]]:
    for level in [0.9, 0.95]:
        i = stats.ttest_1samp(values, 0).confidence_interval(level)
        out["t_interval"].append({"values": values, "level": level, "low": float(i.low), "high": float(i.high)})
for d1, d2 in [(1, 4), (2, 4), (6, 3), (4, 40)]:
    for x in [0.01, 0.5, 1.0, 2.5, 30.0]:
        out["f_cdf"].append({"x": x, "d1": d1, "d2": d2, "want": float(stats.f.cdf(x, d1, d2))})
for sa, sb, queries, pool, fixed in [(2, 2, 24, None, False), (2, 2, 24, (2e-3, 4), False), (3, 2, 15, (1e-3, 8), False),
                                     (1, 1, 20, (1e-3, 4), False), (3, 1, 20, (1e-3, 3), True), (2, 2, 24, (1e-7, 6), False)]:
    difficulty = rng.normal(0.5, 0.3, queries)
    draw = lambda s, mean: np.round(difficulty + mean + rng.normal(0, 0.2, (s, queries)) + rng.normal(0, 0.03, (s, 1)), 3)
    out["compared"].append(compared(draw(sa, 0.1), draw(sb, 0.0), pool, fixed))

v = sorted(np.round(rng.normal(0, 1, 13), 4).tolist())
for p in [0, 0.025, 0.31, 0.5, 0.975, 1]:
    out["quantile"].append({"values": v, "p": p, "want": float(np.quantile(v, p))})

path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps(out, indent=1) + "\n")
