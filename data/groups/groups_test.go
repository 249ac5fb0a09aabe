package groups_test

import (
	"slices"
	"testing"

	"headroom/data/groups"
)

func TestBEIRHasThirteenCollections(t *testing.T) {
	members := groups.Members("beir:13")
	if len(members) != 13 || !slices.IsSorted(members) || !slices.Contains(members, "beir:scifact") || slices.Contains(members, "beir:msmarco") {
		t.Errorf("beir:13 is %v", members)
	}
	members[0] = "changed"
	if groups.Members("beir:13")[0] != "beir:arguana" {
		t.Error("a caller changed the group")
	}
	if got := groups.Members("beir:scifact"); got != nil {
		t.Errorf("a collection is the group %v", got)
	}
}
