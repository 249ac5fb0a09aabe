package source

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// kind is the kind of a reference, by its prefix.
type kind int

const (
	kindFolder kind = iota
	kindData
	kindBuiltin
	kindRecipe
	kindFamily
	kindHub
)

// reference is a parsed reference.
type reference struct {
	text string
	kind kind
	// name is what follows the prefix; for a family "family/name".
	name string
	// revision is what follows a hub name's "@", "" for the default branch.
	revision string
}

const (
	dataAllowed  = "./FOLDER, /FOLDER, data:PATH, builtin:demo, builtin:demo-no-overlap, family:name"
	modelAllowed = "./FOLDER, /FOLDER, data:PATH, recipe:NAME, owner/name[@revision]"
)

var (
	plainName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	familyName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,49}$`)
	revision   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)
)

// parse parses a reference, without any access to the disk. model reports whether hub names
// and recipes, or families and built-in collections, are meant.
func parse(text string, model bool) (reference, error) {
	what, allowed := "data", dataAllowed
	if model {
		what, allowed = "model", modelAllowed
	}
	wrong := func(format string, args ...any) (reference, error) {
		return reference{}, fmt.Errorf("resolve %s %q: %s; allowed: %s", what, text, fmt.Sprintf(format, args...), allowed)
	}
	switch {
	case text == "":
		return wrong("the reference is empty")
	case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return wrong("the reference holds a control character")
	case text == ".", text == "..", strings.HasPrefix(text, "./"), strings.HasPrefix(text, "../"), filepath.IsAbs(text):
		return reference{text: text, kind: kindFolder, name: text}, nil
	}
	prefix, name, colon := strings.Cut(text, ":")
	switch {
	case colon && prefix == "data":
		if !filepath.IsLocal(name) {
			return wrong("the path must stay below HEADROOM_DATA")
		}
		return reference{text: text, kind: kindData, name: name}, nil
	case colon && prefix == "recipe":
		if !model {
			return wrong("a recipe makes a model, not data")
		}
		if !safe(name) {
			return wrong("%q cannot be a recipe's name", name)
		}
		return reference{text: text, kind: kindRecipe, name: name}, nil
	case colon && prefix == "builtin":
		if model {
			return wrong("there is no built-in model: make one with a recipe")
		}
		if name != "demo" && name != "demo-no-overlap" {
			return wrong("there is no built-in collection %q", name)
		}
		return reference{text: text, kind: kindBuiltin, name: name}, nil
	case colon:
		if model {
			return wrong("models have no %q references", prefix+":")
		}
		if !familyName.MatchString(prefix) || !safe(name) {
			return wrong("%q and %q cannot be a family and a name", prefix, name)
		}
		return reference{text: text, kind: kindFamily, name: prefix + "/" + name}, nil
	case !model:
		return wrong("a folder is written ./%s", text)
	}
	return parseHub(text, wrong)
}

// safe reports whether a name is safe as one element of a path.
func safe(name string) bool { return plainName.MatchString(name) && !strings.Contains(name, "..") }

func parseHub(text string, wrong func(string, ...any) (reference, error)) (reference, error) {
	name, rev, at := strings.Cut(text, "@")
	if at && (!revision.MatchString(rev) || strings.Contains(rev, "..") || path.Clean(rev) != rev) {
		return wrong("%q cannot be a revision", rev)
	}
	if !strings.Contains(name, "/") {
		if owner := formerOwner(name); owner != "" {
			name = owner + "/" + name
		}
	}
	parts := strings.Split(name, "/")
	if len(parts) > 2 {
		return wrong("a hub name has one slash; a folder is written ./%s", text)
	}
	for _, part := range parts {
		if !safe(part) {
			return wrong("%q cannot be part of a hub name", part)
		}
	}
	if len(parts) == 1 {
		return wrong("a hub name needs its owner; a folder is written ./%s", text)
	}
	return reference{text: text, kind: kindHub, name: name, revision: rev}, nil
}

// formerOwner returns the owner of a model that the hub once served without one.
func formerOwner(name string) string {
	switch name {
	case "bert-base-uncased", "bert-base-cased", "bert-large-uncased", "bert-large-cased",
		"bert-base-multilingual-cased", "bert-base-multilingual-uncased":
		return "google-bert"
	case "distilbert-base-uncased", "distilbert-base-cased":
		return "distilbert"
	case "roberta-base", "roberta-large", "distilroberta-base", "xlm-roberta-base":
		if name == "distilroberta-base" {
			return "distilbert"
		}
		return "FacebookAI"
	}
	return ""
}
