// Package experiments holds the sweeps, pretraining recipes and claims that come with
// the program, so that they can be named without a file at hand: demo for
// demo.toml, and recipe:demo-bert for backbones/demo-bert.toml.
package experiments

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed *.toml backbones/*.toml paper/*.toml
var files embed.FS

// ErrUnknown is returned when no sweep or recipe of a name is embedded.
var ErrUnknown = errors.New("not built into the program")

// Sweep returns the text of an embedded sweep file and the name to give it in
// messages.
func Sweep(name string) (file string, text []byte, err error) {
	return read("sweep", name, name+".toml", Sweeps)
}

// Recipe returns the text of an embedded pretraining recipe.
func Recipe(name string) (file string, text []byte, err error) {
	return read("recipe", name, "backbones/"+name+".toml", Recipes)
}

// Sweeps lists the names of the embedded sweeps, sorted.
func Sweeps() []string {
	return slices.DeleteFunc(list("."), func(name string) bool { return name+".toml" == publishedFile })
}

// publishedFile holds claims, not a sweep.
const publishedFile = "published.toml"

// Published returns the claims about published models and the name to give the
// file in messages.
func Published() (file string, text []byte, err error) {
	text, err = files.ReadFile(publishedFile)
	return "experiments/" + publishedFile, text, err
}

// Paper returns the claims of the paper about sweeps and the name to give the file in
// messages.
func Paper() (file string, text []byte, err error) {
	const name = "paper/claims.toml"
	text, err = files.ReadFile(name)
	return "experiments/" + name, text, err
}

// Recipes lists the names of the embedded recipes, sorted.
func Recipes() []string { return list("backbones") }

func read(kind, name, file string, known func() []string) (string, []byte, error) {
	text, err := files.ReadFile(file)
	if err != nil || strings.ContainsAny(name, "/\\") {
		return "", nil, fmt.Errorf("%s %q is %w; built in are: %s", kind, name, ErrUnknown, strings.Join(known(), ", "))
	}
	return path.Join("experiments", file), text, nil
}

func list(folder string) []string {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil
	}
	var names []string
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".toml"); ok && !entry.IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
