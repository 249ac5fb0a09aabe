package measure

import "slices"

const (
	defaultPersistence = 0.8
	defaultBeta        = 1.0
)

// at says what follows the @ of a measure.
type at int

const (
	nothing at = iota
	mayCut
	mustCut
	recall // IPrec
)

// form says how a kind is written.
type form struct {
	kind Kind
	name string
	// aliases are other names, in the form that plain returns; one that ends in "cut"
	// (trec_eval's ndcg_cut) needs a cut-off.
	aliases []string
	at      at
	// parameters that may stand in brackets
	parameters []string
	// rel is the default of the parameter rel; 0 if there is none.
	rel  int
	says string
}

func forms() []form {
	list := func(words ...string) []string { return words }
	return []form{
		{NDCG, "nDCG", list("ndcgcut"), mayCut, list("dcg", "gains", "judged_only"), 0, "discounted gain of the ranking over that of the best ranking"},
		{AP, "AP", list("map", "mapcut", "averageprecision", "meanaverageprecision"), mayCut, list("rel", "judged_only"), 1, "mean of the precision at each relevant document"},
		{RR, "RR", list("mrr", "reciprank", "reciprankcut", "reciprocalrank", "meanreciprocalrank"), mayCut, list("rel", "judged_only"), 1, "1 over the rank of the first relevant document"},
		{Precision, "P", list("precision", "prec"), mustCut, list("rel", "judged_only"), 1, "share of the first k that is relevant"},
		{Recall, "R", list("recall"), mustCut, list("rel", "judged_only"), 1, "share of the relevant documents that is in the first k"},
		{CappedRecall, "R_cap", list("rcap", "cappedrecall", "recallcap"), mustCut, list("rel"), 1, "BEIR's: relevant documents in the first k over min(k, relevant documents)"},
		{Success, "Success", list("hit", "hits", "hitrate", "hitratio", "hr"), mustCut, list("rel", "judged_only"), 1, "1 where a relevant document is in the first k"},
		{Rprec, "Rprec", list("rprecision"), nothing, list("rel", "judged_only"), 1, "precision at the number of relevant documents"},
		{Bpref, "Bpref", nil, nothing, list("rel"), 1, "share of relevant documents that stand above judged non-relevant ones"},
		{InfAP, "infAP", list("inferredap"), nothing, list("rel"), 1, "AP inferred from a sampled pool; a negative grade is pooled, not judged"},
		{IPrec, "IPrec", list("iprecatrecall"), recall, list("rel", "judged_only"), 1, "interpolated precision at a recall from 0 to 1"},
		{RBP, "RBP", nil, mayCut, list("p", "rel"), 1, "rank-biased precision with persistence p (0.8)"},
		{ERR, "ERR", nil, mustCut, nil, 0, "expected reciprocal rank with grades up to 4, as TREC's gdeval"},
		{Judged, "Judged", nil, mayCut, nil, 0, "share of the first k that is judged"},
		{SetP, "SetP", list("setprecision"), nothing, list("rel", "relative", "judged_only"), 1, "precision of all returned documents"},
		{SetRelP, "SetRelP", list("setrelativep"), nothing, list("rel", "judged_only"), 1, "SetP over its greatest possible value"},
		{SetR, "SetR", list("setrecall"), nothing, list("rel"), 1, "recall of all returned documents"},
		{SetF, "SetF", nil, nothing, list("rel", "beta", "judged_only"), 1, "F of SetP and SetR"},
		{SetAP, "SetAP", list("setmap"), nothing, list("rel", "judged_only"), 1, "SetP times SetR"},
		{NumRet, "NumRet", nil, nothing, list("rel"), 0, "number of returned documents, with rel of the relevant ones; summed"},
		{NumRel, "NumRel", nil, nothing, list("rel"), 1, "number of relevant documents; summed"},
		{NumQ, "NumQ", nil, nothing, nil, 0, "number of queries"},
	}
}

func formOf(kind Kind) (form, bool) {
	for _, shape := range forms() {
		if shape.kind == kind {
			return shape, true
		}
	}
	return form{}, false
}

func (f form) takes(parameter string) bool { return slices.Contains(f.parameters, parameter) }

// written returns the name with what may follow it: "nDCG[@k]", "P@k".
func (f form) written() string {
	return f.name + map[at]string{nothing: "", mayCut: "[@k]", mustCut: "@k", recall: "@recall"}[f.at]
}

// Described is a line of the table of measures.
type Described struct {
	Name       string   // with what follows it: "nDCG[@k]"
	Parameters []string // "rel", "dcg", …
	Says       string
}

// Table describes every kind, in their order.
func Table() []Described {
	var table []Described
	for _, shape := range forms() {
		table = append(table, Described{shape.written(), shape.parameters, shape.says})
	}
	return table
}

// Allowed returns a sentence that names every measure that Parse accepts.
func Allowed() string {
	text := "allowed are "
	for _, shape := range forms() {
		text += shape.written() + ", "
	}
	return text + "NumRelRet and trec_eval's names; (rel=n) where grades count"
}
