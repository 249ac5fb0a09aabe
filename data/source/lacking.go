package source

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"headroom/data/groups"
	"headroom/data/packages"
	"headroom/data/published"
)

// unknownError returns the error for an unknown name, which suggests a similar one.
func (r *Resolver) unknownError(ref reference, t published.Table) error {
	family, _, _ := strings.Cut(ref.text, ":")
	nearest := t.Nearest(ref.text, groups.Names()...)
	if nearest == "" && !t.Family(family) {
		return nil
	}
	if nearest != "" {
		nearest = fmt.Sprintf("; did you mean %q?", nearest)
	} else {
		nearest = "."
	}
	return fmt.Errorf("resolve data %q: no collection has this name%s `headroom data list` names them; another is put below HEADROOM_DATA as %s, or named in headroom.toml ([[collection]])", ref.text, nearest, ref.name)
}

// lackingError returns the error for a collection of the table that is not on this machine. It says
// how to get it.
func (r *Resolver) lackingError(ref reference, t published.Table) error {
	var looked []string
	for _, root := range []string{r.DataRoot, r.cached("data")} {
		if root != "" {
			looked = append(looked, filepath.Join(root, filepath.FromSlash(ref.name)))
		}
	}
	where := "HEADROOM_DATA is not set"
	if len(looked) > 0 {
		where = "it is not in " + strings.Join(looked, " or ")
	}
	return fmt.Errorf("resolve data %q: %w: %s; %s", ref.text, ErrUnresolved, where, r.howToGet(ref, t))
}

// howToGet returns which command downloads what a reference lacks, from where, and how much
// it is.
func (r *Resolver) howToGet(ref reference, t published.Table) string {
	if r.Offline {
		return fmt.Sprintf("the offline switch forbids bringing it: without HEADROOM_OFFLINE, HF_HUB_OFFLINE and --offline, `headroom data get %s` does", ref.text)
	}
	absent, size := r.absentPackages(t, ref.text)
	var hosts []string
	for _, p := range absent {
		for _, f := range p.Files {
			host := r.Hub.Shown()
			if f.URL != "" {
				host = hostOf(f.URL)
			}
			if !slices.Contains(hosts, host) {
				hosts = append(hosts, host)
			}
		}
	}
	about := ""
	if size > 0 {
		about = " (" + packages.Size(size) + " and more)"
		if !slices.ContainsFunc(absent, func(p published.Package) bool { return p.Size() == 0 }) {
			about = " (" + packages.Size(size) + ")"
		}
	}
	return fmt.Sprintf("`headroom data get %s` brings it from %s%s", ref.text, strings.Join(hosts, ", "), about)
}

func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// absentPackages returns the packages that a reference needs and that are not on this
// machine, and their size.
func (r *Resolver) absentPackages(t published.Table, name string) (absent []published.Package, size int64) {
	store := r.Packages()
	for _, need := range t.PackagesOf(name) {
		if _, err := store.Find(need); err == nil {
			continue
		}
		if p, ok := t.Package(need); ok {
			absent = append(absent, p)
			size += p.Size()
		}
	}
	return absent, size
}
