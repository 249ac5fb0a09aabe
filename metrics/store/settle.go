package store

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"headroom/metrics/record"
)

// A reference is a split of a collection by name; contents is a split of a collection by
// digest.
type (
	reference struct{ name, split string }
	contents  struct{ digest, split string }
)

// measured is an evaluation as settle sees it.
type measured struct {
	of      contents
	at      reference // where the collection was found
	version int       // of the measures
}

// settled has the columns of an evaluation that settle decides.
type settled struct {
	label   string
	current bool
}

// settlement decides which evaluations are current, and how collections are named, from all
// files together.
type settlement struct {
	recorded    map[reference]string // digests in collections.json
	asked       map[string][]reference
	evaluations map[int64]measured

	held   map[reference]string // digests
	newest map[contents]int     // version of the measures
	labels map[contents]string
}

// settle fills in held, newest and labels.
func (s *settlement) settle() {
	s.newest = map[contents]int{}
	for _, e := range s.evaluations {
		s.newest[e.of] = max(s.newest[e.of], e.version)
	}
	s.fillHeld()
	s.name()
}

// fillHeld decides which contents each reference has: those last seen there, else those
// that most evaluations found there.
func (s *settlement) fillHeld() {
	s.held = maps.Clone(s.recorded)
	found := map[reference]map[string]int{}
	for _, e := range s.evaluations {
		if _, known := s.recorded[e.at]; known {
			continue
		}
		if found[e.at] == nil {
			found[e.at] = map[string]int{}
		}
		found[e.at][e.of.digest]++
	}
	for at, digests := range found {
		s.held[at] = slices.MaxFunc(slices.Sorted(maps.Keys(digests)), func(a, b string) int {
			return cmp.Compare(digests[a], digests[b])
		})
	}
}

// name gives each evaluated collection one label, and no two the same one.
func (s *settlement) name() {
	names := map[contents]string{}
	offer := func(of contents, at reference) {
		name := record.CollectionName(at.name)
		if known, ok := names[of]; !ok || name < known {
			names[of] = name
		}
	}
	// Names that sweeps ask for come first, then the others.
	for _, list := range s.asked {
		for _, at := range list {
			if digest := s.held[at]; digest != "" {
				offer(contents{digest, at.split}, at)
			}
		}
	}
	current := s.current()
	others := func(at reference, of contents) {
		if _, named := names[of]; !named {
			offer(of, at)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(s.held), compareReferences) {
		if digest := s.held[at]; digest != "" {
			others(at, contents{digest, at.split})
		}
	}
	ids := slices.Sorted(maps.Keys(s.evaluations))
	slices.SortStableFunc(ids, func(a, b int64) int { return compareReferences(s.evaluations[a].at, s.evaluations[b].at) })
	for _, id := range ids {
		others(s.evaluations[id].at, s.evaluations[id].of)
	}
	s.labels = map[contents]string{}
	taken := map[reference][]contents{}
	for of, name := range names {
		taken[reference{name, of.split}] = append(taken[reference{name, of.split}], of)
	}
	for at, list := range taken {
		now := 0
		for _, of := range list {
			if current[of] {
				now++
			}
		}
		for _, of := range list {
			s.labels[of] = at.name
			if len(list) > 1 && !(current[of] && now == 1) {
				s.labels[of] = record.WithDigest(at.name, of.digest)
			}
		}
	}
}

func compareReferences(a, b reference) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.split, b.split))
}

// current returns the contents that some reference has.
func (s *settlement) current() map[contents]bool {
	current := map[contents]bool{}
	for at, digest := range s.held {
		if digest != "" {
			current[contents{digest, at.split}] = true
		}
	}
	return current
}

// settledOf returns an evaluation's label, and whether it is current: some reference has
// the contents that it measured, and no newer version of the measures has measured them.
func (s *settlement) settledOf(current map[contents]bool, e measured) settled {
	newest := e.version == s.newest[e.of]
	label := s.labels[e.of]
	if !newest {
		label += fmt.Sprintf(" (measures %d)", e.version)
	}
	return settled{label, newest && current[e.of]}
}

// askedLabels are the labels of the collections that a sweep asks for, as its own file
// names them.
func (s *settlement) askedLabels(list []reference) []string {
	count := map[reference]int{}
	for _, at := range list {
		count[reference{record.CollectionName(at.name), at.split}]++
	}
	labels := make([]string, len(list))
	for i, at := range list {
		labels[i] = record.CollectionName(at.name)
		if count[reference{labels[i], at.split}] > 1 {
			labels[i] = record.WithDigest(labels[i], s.held[at])
		}
	}
	return labels
}

// settle ends a pass: which evaluations are current depends on all files together.
func (f *fold) settle() error {
	s := &settlement{recorded: map[reference]string{}, asked: map[string][]reference{}, evaluations: map[int64]measured{}}
	seen, err := record.ReadCollections(f.workspace)
	if err != nil {
		f.fault(err)
	}
	if f.again && !f.unsettled && err == nil && reflect.DeepEqual(seen, f.memory.settled) {
		return nil
	}
	f.memory.settled = seen
	for _, r := range seen.References {
		s.recorded[reference{r.Reference, r.Split}] = r.Collection
	}
	return f.inTx(func(tx *sql.Tx) error {
		was := map[int64]settled{}
		if err := f.readSettled(tx, s, was); err != nil {
			return err
		}
		s.settle()
		if _, err := tx.ExecContext(f.ctx, "DELETE FROM reference"); err != nil {
			return err
		}
		for at, digest := range s.recorded {
			if _, err := tx.ExecContext(f.ctx, "INSERT INTO reference (reference, split, collection) VALUES (?,?,?)", at.name, at.split, digest); err != nil {
				return err
			}
		}
		for sweep, list := range s.asked {
			labels := s.askedLabels(list)
			for i, at := range list {
				if _, err := tx.ExecContext(f.ctx, "UPDATE asked SET collection = ?, label = ? WHERE sweep = ? AND position = ?", s.held[at], labels[i], sweep, i); err != nil {
					return err
				}
			}
		}
		current := s.current()
		for id, e := range s.evaluations {
			is := s.settledOf(current, e)
			if is == was[id] {
				continue
			}
			if _, err := tx.ExecContext(f.ctx, "UPDATE evaluation SET label = ?, current = ? WHERE id = ?", is.label, is.current, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// readSettled reads what there is to settle, and how it was settled before.
func (f *fold) readSettled(tx *sql.Tx, s *settlement, was map[int64]settled) error {
	var at reference
	var sweep string
	err := f.rows(tx, "SELECT sweep, reference, split FROM asked ORDER BY sweep, position", func() {
		s.asked[sweep] = append(s.asked[sweep], at)
	}, &sweep, &at.name, &at.split)
	if err != nil {
		return err
	}
	var id int64
	var e measured
	var before settled
	return f.rows(tx, "SELECT id, collection, split, reference, measures_version, label, current FROM evaluation", func() {
		e.at.split = e.of.split
		s.evaluations[id], was[id] = e, before
	}, &id, &e.of.digest, &e.of.split, &e.at.name, &e.version, &before.label, &before.current)
}
