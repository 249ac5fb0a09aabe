package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"headroom/data/groups"
	"headroom/data/packages"
	"headroom/data/published"
)

// MissingPackages lists the packages that references to data need and that are not on this machine,
// each once. References to folders need none; a group needs those of its members. The error
// names every unknown reference.
func (r *Resolver) MissingPackages(references ...string) ([]published.Package, error) {
	t, err := r.Table()
	if err != nil {
		return nil, err
	}
	var lacking []published.Package
	var faults []error
	for _, text := range groups.Expand(references) {
		ref, err := parse(text, false)
		if err == nil && ref.kind != kindFamily {
			continue
		}
		if err == nil {
			err = r.present(ref)
		}
		if !errors.Is(err, ErrUnresolved) {
			faults = append(faults, err)
			continue
		}
		absent, _ := r.absentPackages(t, text)
		if len(absent) == 0 { // nothing to download
			faults = append(faults, err)
		}
		for _, p := range absent {
			if !slices.ContainsFunc(lacking, func(q published.Package) bool { return q.Name == p.Name }) {
				lacking = append(lacking, p)
			}
		}
	}
	return lacking, errors.Join(faults...)
}

// present returns an error if a reference to a collection or to examples cannot be used.
func (r *Resolver) present(ref reference) error {
	if _, err := r.Data(ref.text); err == nil {
		return nil
	} else if r.IsTraining(ref.text) {
		_, err := r.Training(ref.text)
		return err
	} else {
		return err
	}
}

// IsTraining reports whether a reference is of published examples, which are no collection.
func (r *Resolver) IsTraining(text string) bool {
	return slices.ContainsFunc(publishedSets(), func(p publishedSet) bool { return strings.Replace(p.name, "/", ":", 1) == text })
}

// Get downloads the packages that MissingPackages lists. After a failure it continues with the
// others; the error joins all faults. tell may be nil; it is called by one goroutine at a
// time.
func (r *Resolver) Get(ctx context.Context, tell func(packages.Progress), references ...string) error {
	lacking, err := r.MissingPackages(references...)
	if err != nil {
		return err
	}
	if len(lacking) == 0 {
		return nil
	}
	if r.Offline {
		var names []string
		for _, p := range lacking {
			names = append(names, p.Name)
		}
		return fmt.Errorf("bring %s: the offline switch forbids it: HEADROOM_OFFLINE, HF_HUB_OFFLINE or --offline", strings.Join(names, ", "))
	}
	return r.Packages().Get(ctx, lacking, tell)
}

// Entry describes one name of data, and what is on this machine.
type Entry struct {
	Name, Title string
	// Kind is "collection", "training", "group" or "own".
	Kind string
	// State is "here", "absent" or "part": some of its packages are here.
	State string
	// Folder is its folder; "" if it is absent, or a group.
	Folder string
	// Packages are the names of the packages that it needs.
	Packages []string
	// Bytes is the size of its files on disk, Download the size of what is still to be
	// downloaded.
	Bytes, Download int64
	// Digests are the published digests of the files to download: "md5:…", "sha256:…".
	Digests       []string
	Licence, Cite string
	Counts        published.Counts
	Members       []string
}

// Entries describes the references, or everything that has a name if none is given.
func (r *Resolver) Entries(references ...string) ([]Entry, error) {
	t, err := r.Table()
	if err != nil {
		return nil, err
	}
	if len(references) == 0 {
		references = append(wholeGroups(t), t.Names()...)
	}
	var entries []Entry
	var faults []error
	for _, text := range references {
		e, err := r.entry(t, text)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		entries = append(entries, e)
	}
	return entries, errors.Join(faults...)
}

// wholeGroups returns the groups all of whose members are in the table.
func wholeGroups(t published.Table) []string {
	return slices.DeleteFunc(groups.Names(), func(group string) bool {
		return slices.ContainsFunc(groups.Members(group), func(member string) bool {
			_, ok := t.Collection(member)
			return !ok
		})
	})
}

func (r *Resolver) entry(t published.Table, text string) (Entry, error) {
	if members := groups.Members(text); members != nil {
		return r.group(t, text, members)
	}
	ref, err := parse(text, false)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: text, Kind: "collection", State: "here", Packages: t.PackagesOf(text)}
	if c, ok := t.Collection(text); ok {
		e.Title, e.Counts = c.Title, c.Counts
	} else if set, ok := t.Training(text); ok {
		e.Title, e.Kind = set.Title, "training"
	} else {
		e.Kind = "own"
	}
	if slices.ContainsFunc(r.Own, func(o Own) bool { return o.Name == text }) {
		e.Kind = "own"
	}
	err = r.present(ref)
	switch {
	case errors.Is(err, ErrUnresolved):
		e.State = "absent"
	case err != nil:
		return Entry{}, err
	case e.Kind != "training":
		e.Folder, _ = r.Data(text)
	}
	r.sizes(t, &e)
	return e, nil
}

// sizes fills in the sizes and digests of an entry's packages.
func (r *Resolver) sizes(t published.Table, e *Entry) {
	store := r.Packages()
	here := 0
	for _, name := range e.Packages {
		p, ok := t.Package(name)
		if !ok {
			continue
		}
		e.Licence, e.Cite = p.Licence, p.Cite
		for _, f := range p.Files {
			switch {
			case f.SHA256 != "":
				e.Digests = append(e.Digests, "sha256:"+f.SHA256)
			case f.MD5 != "":
				e.Digests = append(e.Digests, "md5:"+f.MD5)
			}
		}
		folder, err := store.Find(name)
		if err != nil {
			e.Download += p.Size()
			continue
		}
		here++
		e.Folder = cmp.Or(e.Folder, folder)
		if from, err := store.Source(folder); err == nil {
			e.Bytes += from.Bytes
		} else {
			e.Bytes += packages.Bytes(folder)
		}
	}
	if e.State == "absent" && here > 0 {
		e.State = "part"
	}
	if e.State != "here" {
		e.Folder = ""
	}
	if len(e.Packages) == 0 && e.Folder != "" {
		e.Bytes = packages.Bytes(e.Folder)
	}
}

func (r *Resolver) group(t published.Table, text string, members []string) (Entry, error) {
	g := Entry{Name: text, Kind: "group", Title: fmt.Sprintf("%d collections", len(members)), State: "here", Members: members}
	here := 0
	for _, member := range members {
		e, err := r.entry(t, member)
		if err != nil {
			return Entry{}, err
		}
		if e.State == "here" {
			here++
		}
		for _, name := range e.Packages {
			if !slices.Contains(g.Packages, name) {
				g.Packages = append(g.Packages, name)
			}
		}
		g.Counts.Documents += e.Counts.Documents
		g.Counts.Queries += e.Counts.Queries
		g.Counts.Judgements += e.Counts.Judgements
	}
	r.sizes(t, &g)
	switch here {
	case len(members):
	case 0:
		g.State = "absent"
	default:
		g.State = "part"
	}
	g.Folder = ""
	return g, nil
}

// Verified is the result of comparing one package with its digests.
type Verified struct {
	Package, Folder string
	// Sealed is true if the package has digests; without them only rows were counted.
	Sealed bool
}

// VerifyData reads every byte of the packages that references need. The error joins all
// damage, and names references that are not on this machine.
func (r *Resolver) VerifyData(references ...string) ([]Verified, error) {
	t, err := r.Table()
	if err != nil {
		return nil, err
	}
	var done []Verified
	var faults []error
	seen := map[string]bool{}
	for _, text := range groups.Expand(references) {
		needs := t.PackagesOf(text)
		if len(needs) == 0 { // a folder, or the user's own
			folder, err := r.Data(text)
			if err == nil {
				err = r.readWhole(folder)
			}
			if err != nil {
				faults = append(faults, err)
				continue
			}
			done = append(done, Verified{Package: text, Folder: folder})
		}
		for _, name := range needs {
			if seen[name] {
				continue
			}
			seen[name] = true
			p, _ := t.Package(name)
			sealed, err := r.Packages().Verify(p)
			if errors.Is(err, packages.ErrAbsent) {
				err = fmt.Errorf("verify %s: %w: `headroom data get %s` brings it", text, err, text)
			}
			if err != nil {
				faults = append(faults, err)
				continue
			}
			folder, _ := r.Packages().Find(name)
			done = append(done, Verified{name, folder, sealed})
		}
	}
	return done, errors.Join(faults...)
}

// readWhole reads a collection with all its splits.
func (r *Resolver) readWhole(folder string) error {
	splits, err := splitsOf(folder)
	if err != nil {
		return err
	}
	for _, split := range splits {
		if _, err := r.CollectionFacts(folder, split); err != nil {
			return err
		}
	}
	return nil
}
