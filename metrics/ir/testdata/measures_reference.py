"""Makes measures_*.txt: tricky qrels and a run, and what ir_measures and its providers compute for each query.

    pip install ir_measures==0.4.3 pytrec-eval-terrier==0.5.11 cwl-eval==1.0.12 && python measures_reference.py

perl must be there for gdeval (ERR, nDCG with exp-log2), which prints five decimals. The data have ties,
unjudged documents, negative grades, queries that the run lacks, queries without a relevant document, lists of
one document and of 150. Scores are multiples of 1/8, so that they are the same as float32 and float64. Queries
are numbers, which gdeval wants. ir_measures leaves out what a provider does not report; it is written as 0, and so is IPrec(judged_only=True) of
a query without a judged document in its list, which pytrec_eval has as 0/0.
ir_measures breaks ties of Judged by ascending document id, unlike trec_eval: the ids of the reference are turned
round for it. cwl-eval (RBP) keeps the order of the rows, which are given by descending id. R_cap is BEIR's formula, written out; RR of the rank column is MS MARCO's script, which
ir_measures brings along.
"""

import random

import ir_measures
from ir_measures.bin import msmarco_eval

random.seed(20251129)
GRADES = {0: [-2, -1, 0, 0, 1, 1, 2, 3, 4], 1: [-1, 0, 0, 0, 1], 2: [0, 0, 1], 3: [1, 2, 3], 4: [-1, 0, 0]}
qrels, run = {}, {}
for q in range(1, 51):
    pool = [f"d{i:03}" for i in random.sample(range(150), random.choice([1, 3, 12, 60, 130]))]
    qrels[str(q)] = {doc: random.choice(GRADES[q % 5]) for doc in pool}
    qrels[str(q)][pool[0]] = 0  # trec_eval does not define a query whose grades are all negative
    if q % 11 == 4:
        continue
    found = random.sample(range(150), random.choice([1, 2, 10, 40, 150]))
    run[str(q)] = {f"d{i:03}": random.randint(-8, 24) / 8 for i in found}
run["777"] = {"d001": 1.0, "d002": 1.0}

with open("measures_qrels.txt", "w") as out:
    for query, judged in qrels.items():
        out.writelines(f"{query} 0 {doc} {grade}\n" for doc, grade in judged.items())
ranks = {}  # a rank column that contradicts the scores
with open("measures_run.txt", "w") as out:
    for query, found in run.items():
        ranks[query] = dict(zip(found, random.sample(range(1, len(found) + 1), len(found))))
        out.writelines(f"{query} Q0 {doc} {ranks[query][doc]} {score!r} made\n" for doc, score in found.items())

NAMES = """nDCG nDCG@3 nDCG@10 nDCG(judged_only=True)@10 nDCG(gains={1:3,2:7,4:0})@10 nDCG(gains={0:1})
AP AP@7 AP(judged_only=True) AP(rel=2)@20 RR RR(judged_only=True) RR(rel=2) P@1 P@10 P(judged_only=True)@10 P(rel=3)@5
R@10 R(judged_only=True)@10 R(rel=2)@100 Success@1 Success(judged_only=True)@5 Success(rel=2)@5
Rprec Rprec(rel=2) Rprec(judged_only=True) Bpref Bpref(rel=2) Bpref(rel=3) infAP infAP(rel=2)
IPrec@0.0 IPrec@0.1 IPrec@0.33 IPrec@0.5 IPrec@1.0 IPrec(rel=2)@0.3 IPrec(judged_only=True)@0.2
SetP SetP(rel=2) SetP(judged_only=True) SetRelP SetP(relative=True,rel=2) SetR SetR(rel=2)
SetF SetF(beta=0.5) SetF(beta=2.0) SetF(rel=2) SetF(judged_only=True) SetAP SetAP(rel=2) SetAP(judged_only=True)
NumRet NumRelRet NumRet(rel=2) NumRel NumQ RBP(rel=1) RBP(rel=2) RBP(p=0.5,rel=1) RBP(p=0.95,rel=1)
Judged Judged@1 Judged@10 ERR@1 ERR@10 ERR@100 nDCG(dcg='exp-log2')@10""".split()


def irm(qrels, run, measure):
    rows = [ir_measures.Qrel(q, d, g) for q, judged in qrels.items() for d, g in judged.items()]
    found = [ir_measures.ScoredDoc(q, d, s) for q, docs in run.items() for d, s in sorted(docs.items(), reverse=True)]
    return {m.query_id: m.value for m in ir_measures.iter_calc([measure], rows, found)}


def turned(data):
    return {q: {f"d{999 - int(d[1:]):03}": x for d, x in docs.items()} for q, docs in data.items()}


def capped(k):
    values = {}
    for query, found in run.items():
        relevant = {d for d, g in qrels.get(query, {}).items() if g > 0}
        order = sorted(found, key=lambda d: (found[d], d), reverse=True)
        values[query] = len(relevant.intersection(order[:k])) / min(len(relevant), k) if relevant else 0.0
    return values


def msmarco(k):
    relevant = {q: {d: 1 for d, g in judged.items() if g > 0} for q, judged in qrels.items()}
    column = {q: sorted(ranks[q], key=ranks[q].get) for q in run}
    return msmarco_eval.compute_metrics(relevant, column, max_rank=k)[f"MRR @{k} by query"]


def write(out, name, values, total=False):
    values = [float(values.get(query, 0.0)) for query in sorted(qrels)]
    values = [0.0 if value != value else value for value in values]
    out.writelines(f"{name}\t{query}\t{value!r}\n" for query, value in zip(sorted(qrels), values))
    out.write(f"{name}\tall\t{sum(values) / (1 if total else len(values))!r}\n")


with open("measures_expected.txt", "w") as out:
    for name in NAMES:
        measure = ir_measures.parse_measure(name)
        values = irm(turned(qrels), turned(run), measure) if name.startswith("Judged") else irm(qrels, run, measure)
        if name.startswith("Num"):  # of the qrels: also where the run lacks the query
            if name == "NumQ":
                values = {q: 1 for q in qrels}
            if name == "NumRel":
                values |= {q: sum(g > 0 for g in judged.values()) for q, judged in qrels.items() if q not in run}
        write(out, name, values, name.startswith("Num"))
    for k in (1, 10, 100):
        write(out, f"R_cap@{k}", capped(k))
with open("measures_by_rank.txt", "w") as out:
    for k in (1, 10, 100):
        write(out, f"RR@{k}", msmarco(k))
