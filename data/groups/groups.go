// Package groups names the collections that one reference stands for.
//
// Contract. A group's members and their order are those of the literature. Members returns
// a copy, or nil for a name that is no group.
package groups

import "slices"

// beir lists the 13 collections over which published means of BEIR are taken.
var beir = [...]string{"arguana", "climate-fever", "dbpedia-entity", "fever", "fiqa", "hotpotqa", "nfcorpus", "nq", "quora",
	"scidocs", "scifact", "trec-covid", "webis-touche2020"}

// nano lists their samples in NanoBEIR, which has MS MARCO in the place of TREC-COVID.
var nano = [...]string{"arguana", "climate-fever", "dbpedia-entity", "fever", "fiqa", "hotpotqa", "msmarco", "nfcorpus", "nq", "quora",
	"scidocs", "scifact", "webis-touche2020"}

// forums lists the forums of CQADupStack, each a collection. CQADupStack's figure is the mean of their twelve means.
var forums = [...]string{"android", "english", "gaming", "gis", "mathematica", "physics", "programmers", "stats", "tex", "unix",
	"webmasters", "wordpress"}

// Names lists the groups.
func Names() []string { return []string{"beir:13", "beir:cqadupstack", "nano:13"} }

// Members returns the references of a group's collections; nil for a name that is no group.
func Members(group string) []string {
	var names []string
	prefix := "beir:"
	switch group {
	case "beir:13":
		names = beir[:]
	case "beir:cqadupstack":
		names, prefix = forums[:], "beir:cqadupstack-"
	case "nano:13":
		names, prefix = nano[:], "nano:"
	default:
		return nil
	}
	members := make([]string, 0, len(names))
	for _, name := range names {
		members = append(members, prefix+name)
	}
	return members
}

// Expand replaces groups by their members. A member that is listed several times, alone or in
// groups, is returned once.
func Expand(references []string) []string {
	if !slices.ContainsFunc(references, func(ref string) bool { return Members(ref) != nil }) {
		return slices.Clone(references)
	}
	var list []string
	for _, ref := range references {
		members := Members(ref)
		if members == nil {
			members = []string{ref}
		}
		for _, member := range members {
			if !slices.Contains(list, member) {
				list = append(list, member)
			}
		}
	}
	return list
}
