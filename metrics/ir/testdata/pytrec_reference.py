"""Makes pytrec_*.txt: random qrels and a random run, and what pytrec_eval computes for them.

    pip install pytrec-eval-terrier==0.5.11 && python pytrec_reference.py

Scores have many ties and are multiples of 1/8, so that they are the same as float32 and float64. Grades go
from -2 to 3. Of the queries, some are missing in the run, some judge nothing relevant, some rows of the run
belong to queries without judgements. pytrec_eval leaves unanswered queries out; they are written as 0,
which is what trec_eval -c counts.
"""

import random

import pytrec_eval

MEASURES = {
    "ndcg": "nDCG", "ndcg_cut_1": "nDCG@1", "ndcg_cut_7": "nDCG@7", "ndcg_cut_10": "nDCG@10", "ndcg_cut_100": "nDCG@100",
    "map": "AP", "map_cut_5": "AP@5", "map_cut_100": "AP@100",
    "P_1": "P@1", "P_10": "P@10", "P_100": "P@100",
    "recall_3": "R@3", "recall_10": "R@10", "recall_1000": "R@1000",
    "recip_rank": "RR", "success_1": "Success@1", "success_5": "Success@5",
}
BINARY = ("AP", "P", "R", "RR", "Success")

random.seed(20240607)
qrels, run = {}, {}
for q in range(60):
    query = f"q{q}"
    pool = [f"d{i}" for i in random.sample(range(60), random.randint(1, 40))]
    grades = [-2, -1, 0, 0, 0, 1, 1, 2, 3] if q % 10 else [-1, 0, 0]
    qrels[query] = {doc: random.choice(grades) for doc in pool}
    qrels[query][pool[0]] = 0  # trec_eval does not define a query whose grades are all negative
    if q % 7 == 3:
        continue
    found = random.sample(range(60), random.choice([1, 4, 15, 50]))
    run[query] = {f"d{i}": random.randint(-8, 24) / 8 for i in found}
run["unjudged"] = {"d1": 1.0, "d2": 1.0}

with open("pytrec_qrels.txt", "w") as out:
    for query, judged in qrels.items():
        out.writelines(f"{query} 0 {doc} {grade}\n" for doc, grade in judged.items())
with open("pytrec_run.txt", "w") as out:
    for query, found in run.items():
        out.writelines(f"{query} Q0 {doc} 0 {score!r} random\n" for doc, score in found.items())


def ours(name, rel):
    stem, at, cutoff = name.partition("@")
    return f"{stem}(rel={rel}){at}{cutoff}" if rel > 1 else name


with open("pytrec_expected.txt", "w") as out:
    for rel in (1, 2, 3):
        names = [m for m in MEASURES if rel == 1 or MEASURES[m].partition("@")[0] in BINARY]
        got = pytrec_eval.RelevanceEvaluator(qrels, set(names), relevance_level=rel).evaluate(run)
        for name in names:
            values = [got[query][name] if query in got else 0.0 for query in sorted(qrels)]
            out.writelines(f"{ours(MEASURES[name], rel)}\t{query}\t{value!r}\n" for query, value in zip(sorted(qrels), values))
            out.write(f"{ours(MEASURES[name], rel)}\tall\t{sum(values) / len(values)!r}\n")
