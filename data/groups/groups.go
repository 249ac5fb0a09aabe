// Package groups names the collections that one reference stands for.
//
// Contract. A group's members and their order are those of the literature; Members returns
// a copy, and nil for what is no group.
package groups

import "slices"

// beir are the 13 collections that published means of BEIR are over.
var beir = [...]string{"arguana", "climate-fever", "dbpedia-entity", "fever", "fiqa", "hotpotqa", "nfcorpus", "nq", "quora",
	"scidocs", "scifact", "trec-covid", "webis-touche2020"}

// Names lists the groups.
func Names() []string { return []string{"beir:13"} }

// Members are the references of a group's collections; nil where it is none.
func Members(group string) []string {
	if !slices.Contains(Names(), group) {
		return nil
	}
	members := make([]string, 0, len(beir))
	for _, name := range beir {
		members = append(members, "beir:"+name)
	}
	return members
}
