package sweeps

import (
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"headroom/data/groups"
)

// OwnCollection is a [[collection]] of a site's file: a name for unpublished data, or for a
// copy of published data.
type OwnCollection struct {
	// Name is the reference, "family:name".
	Name string
	// Folder is the place of the data, relative to the file's folder; "" if Hub or URL say
	// where to fetch it.
	Folder string
	// Hub is a dataset of the hub, owner/name or owner/name@revision.
	Hub string
	// URL is the address of a zip or tar.gz of a folder; SHA256 is its digest, "" if none is known.
	URL, SHA256 string
	// Layout is the layout that the folder must have; "" accepts any.
	Layout string
}

var (
	ownName   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,49}:[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	ownHub    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}/[A-Za-z0-9][A-Za-z0-9._-]{0,99}(@[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$`)
	ownDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// isReserved reports whether a name begins with a prefix of references that is no family.
func isReserved(name string) bool {
	family, _, _ := strings.Cut(name, ":")
	return family == "data" || family == "builtin" || family == "recipe"
}

// collections reads [[collection]].
func (s *Site) collections(doc *document, l leaf, faults *Faults) {
	keys := []string{"name", "folder", "hub", "url", "sha256", "layout"}
	for _, t := range doc.tables(l, faults) {
		var c OwnCollection
		text := func(l leaf, to *string, allowed string, wrong func(string) bool) {
			*to = t.string(l, allowed, func(text string) string {
				if wrong(text) {
					return "is not one"
				}
				return ""
			}, faults)
		}
		for _, l := range t.leaves {
			switch l.key() {
			case "name":
				text(l, &c.Name, `a name such as "lab:patents"`, func(v string) bool { return !ownName.MatchString(v) || isReserved(v) })
				if slices.Contains(groups.Names(), c.Name) {
					faults.add(Fault{File: t.file, Key: "name", Value: quote(c.Name), Message: "stands for a group of collections", Allowed: "the name of one collection"})
				}
			case "folder":
				text(l, &c.Folder, "a folder, absolute or relative to this file's", func(v string) bool { return v == "" || strings.ContainsRune(v, 0) })
			case "hub":
				text(l, &c.Hub, "a dataset of the hub, as owner/name or owner/name@revision", func(v string) bool { return !ownHub.MatchString(v) })
			case "url":
				text(l, &c.URL, "https://HOST/PATH of a .zip or .tar.gz", func(v string) bool { return !isArchive(v) })
			case "sha256":
				text(l, &c.SHA256, "64 hexadecimal digits", func(v string) bool { return !ownDigest.MatchString(v) })
			case "layout":
				text(l, &c.Layout, `"beir", "msmarco", "trec", "hub"`, func(v string) bool { return v != "beir" && v != "msmarco" && v != "trec" && v != "hub" })
			default:
				faults.add(Fault{File: t.file, Key: l.key(), Message: "unknown key", Allowed: strings.Join(keys, ", "), Near: nearest(l.key(), keys)})
			}
		}
		s.addCollection(c, t, doc.file, faults)
	}
}

// addCollection adds a collection after it has checked that its keys go together.
func (s *Site) addCollection(c OwnCollection, t *document, file string, faults *Faults) {
	says := func(key string) bool {
		return slices.ContainsFunc(t.leaves, func(l leaf) bool { return l.key() == key })
	}
	places := 0
	for _, key := range []string{"folder", "hub", "url"} {
		if says(key) {
			places++
		}
	}
	switch {
	case len(t.leaves) == 0:
		return
	case !says("name"):
		faults.add(Fault{File: t.file, Key: "name", Message: "is missing", Allowed: `a name such as "lab:patents"`})
	case places != 1:
		faults.add(Fault{File: t.file, Key: "folder, hub, url", Message: "one of them says where the collection is", Allowed: "folder, hub or url"})
	case says("sha256") && !says("url"):
		faults.add(Fault{File: t.file, Key: "sha256", Message: "is of what url names"})
	}
	if c.Folder != "" && !filepath.IsAbs(c.Folder) {
		c.Folder = filepath.Join(filepath.Dir(file), filepath.FromSlash(c.Folder))
		if absolute, err := filepath.Abs(c.Folder); err == nil {
			c.Folder = absolute
		}
	}
	for _, other := range s.Collections {
		if other.Name == c.Name && c.Name != "" {
			faults.add(Fault{File: t.file, Key: "name", Value: quote(c.Name), Message: "is there twice"})
		}
	}
	s.Collections = append(s.Collections, c)
}

func isArchive(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" &&
		(strings.HasSuffix(u.Path, ".zip") || strings.HasSuffix(u.Path, ".tar.gz") || strings.HasSuffix(u.Path, ".tgz"))
}
