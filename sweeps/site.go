package sweeps

import (
	"reflect"
	"strings"
)

// SiteFile is the name of the file that says how a site computes.
const SiteFile = "headroom.toml"

// Site is what a headroom.toml says: the tables [slurm], [compute] and [alerts], which change
// no run's result, for all sweeps beside it, and names of collections.
type Site struct {
	// Collections are those of [[collection]].
	Collections []OwnCollection
	// Alerts is [alerts], nil if the file has none.
	Alerts *Alerts

	slurm    Slurm
	assigned []assignment
}

// LoadSite reads a site file.
func LoadSite(path string) (*Site, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseSite(path, text)
}

// ParseSite is LoadSite for a text at hand; name stands for the file in messages.
func ParseSite(name string, text []byte) (*Site, error) {
	doc, syntax := readDocument(name, text)
	if syntax != nil {
		return nil, Faults{*syntax}
	}
	site := &Site{}
	var faults Faults
	for _, l := range doc.leaves {
		if faults.full() {
			break
		}
		site.read(doc, l, &faults)
	}
	if site.Alerts != nil && len(faults) == 0 {
		site.Alerts.check(&faults)
	}
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	return site, nil
}

func (s *Site) read(doc *document, l leaf, faults *Faults) {
	const allowed = "[slurm], [compute], [alerts] and [[collection]]; the sweep's file says what is computed"
	schema := runSchema()
	switch l.path[0] {
	case "slurm":
		s.slurm.read(doc, l, faults)
	case "alerts":
		s.readAlerts(doc, l, faults)
	case "collection":
		s.collections(doc, l, faults)
	case "compute":
		if l.emptyTable() {
			return
		}
		f, r, ok := schema.field(l.key())
		if !ok {
			faults.add(schema.unknown(doc.file, l.key(), shortText(doc.any(l.value))))
			return
		}
		v, fault := doc.decode(l.value, f, r)
		if fault != nil {
			faults.add(*fault)
			return
		}
		s.assigned = append(s.assigned, assignment{key: f.key, file: doc.file, values: []reflect.Value{v}})
	default:
		faults.add(Fault{File: doc.file, Key: l.key(), Message: "is not allowed in a site's file", Allowed: allowed, Near: nearest(l.path[0], []string{"slurm", "compute", "alerts", "collection"})})
	}
}

// SlurmOverrides reads the arguments slurm.KEY=VALUE of a command line.
func SlurmOverrides(args []string) (Slurm, error) {
	var s Slurm
	var faults Faults
	for _, arg := range args {
		key, value, isSetting := strings.Cut(arg, "=")
		key = strings.TrimSpace(key)
		k, known := slurmKeyOf(key)
		if isSetting && !known {
			faults.add(unknownSlurmKey(commandLine, key, shortText(value)))
			continue
		}
		if isBareWord(k, value) {
			value = quote(value)
		}
		doc, syntax := readDocument(commandLine, []byte(key+" = "+value+"\n"))
		if isSetting && syntax != nil {
			faults.add(Fault{File: commandLine, Key: key, Value: shortText(value), Message: notTOML(value), Allowed: k.allowed})
			continue
		}
		if syntax != nil || len(doc.leaves) != 1 || doc.leaves[0].path[0] != "slurm" {
			faults.add(Fault{File: commandLine, Message: "cannot read override " + quote(arg), Allowed: "slurm.KEY=VALUE, such as slurm.partition=gpu"})
			continue
		}
		var one Slurm
		one.read(doc, doc.leaves[0], &faults)
		s = one.Or(s)
	}
	return s, faults.orNil()
}

// isBareWord reports whether a value is a text without quotes, of a key that takes texts.
func isBareWord(k slurmKey, value string) bool {
	return k.name != "" && k.number == nil && (value == "" || !strings.ContainsAny(value[:1], `"'[`))
}

// ApplySites sets the keys that the spec does not set itself from site files; the first
// file that has a key counts. On an error the Spec is unchanged.
func (s *Spec) ApplySites(sites ...*Site) error {
	next := *s
	next.assigned = append([]assignment(nil), s.assigned...)
	var faults Faults
	for _, site := range sites {
		next.Slurm = next.Slurm.Or(site.slurm)
		for _, a := range site.assigned {
			if !next.sets(a.key) {
				next.assigned = append(next.assigned, a)
			}
		}
	}
	if len(next.assigned) > len(s.assigned) {
		next.validate(&faults)
	}
	if err := faults.orNil(); err != nil {
		return err
	}
	*s = next
	return nil
}

func (s *Spec) sets(key string) bool {
	for _, a := range s.assigned {
		if a.key == key {
			return true
		}
	}
	return false
}
