package source

import (
	"path/filepath"
	"strings"

	"headroom/data/download"
)

// Environment is the part of a process's environment that sets the roots.
type Environment struct {
	// Getenv reads a variable.
	Getenv func(string) string
	// UserCache is the user's cache folder, "" if there is none.
	UserCache string
	// Home is the user's home folder, "" if there is none.
	Home string
}

// New returns a Resolver with roots from the environment: HEADROOM_DATA; HEADROOM_CACHE, else headroom in
// the user's cache folder; and, as huggingface_hub reads them, HF_HUB_CACHE, else hub in HF_HOME, which is
// huggingface in XDG_CACHE_HOME or ~/.cache; HF_ENDPOINT; HF_TOKEN, else the file HF_TOKEN_PATH, else
// HF_HOME/token; HEADROOM_MIRROR; HEADROOM_COLLECTIONS; HEADROOM_OFFLINE and HF_HUB_OFFLINE (1, on, yes or
// true).
func New(env Environment) *Resolver {
	r := &Resolver{tables: &tables{}, DataRoot: env.Getenv("HEADROOM_DATA"), CacheDir: env.Getenv("HEADROOM_CACHE")}
	if r.DataRoot != "" {
		if absolute, err := filepath.Abs(r.DataRoot); err == nil {
			r.DataRoot = absolute
		}
	}
	if r.CacheDir == "" && env.UserCache != "" {
		r.CacheDir = filepath.Join(env.UserCache, "headroom")
	}
	home := env.hubHome()
	r.HubCache = env.path("HF_HUB_CACHE", joinUnlessEmpty(home, "hub"))
	r.Hub = download.Hub{
		Endpoint:  env.Getenv("HF_ENDPOINT"),
		Token:     env.Getenv("HF_TOKEN"),
		TokenFile: env.path("HF_TOKEN_PATH", joinUnlessEmpty(home, "token")),
	}
	r.Mirror, r.TableFile = env.Getenv("HEADROOM_MIRROR"), env.Getenv("HEADROOM_COLLECTIONS")
	for _, name := range []string{"HF_HUB_OFFLINE", "HEADROOM_OFFLINE"} {
		switch strings.ToLower(env.Getenv(name)) {
		case "1", "on", "yes", "true":
			r.Offline = true
		}
	}
	return r
}

// hubHome returns the folder of the hub's tools; "" if it is unknown.
func (e Environment) hubHome() string {
	fallback := ""
	if cache := e.Getenv("XDG_CACHE_HOME"); cache != "" {
		fallback = filepath.Join(cache, "huggingface")
	} else if e.Home != "" {
		fallback = filepath.Join(e.Home, ".cache", "huggingface")
	}
	return e.path("HF_HOME", fallback)
}

// path reads a variable that holds a path, which may begin with ~.
func (e Environment) path(name, fallback string) string {
	value := e.Getenv(name)
	if value == "" {
		return fallback
	}
	if rest, ok := strings.CutPrefix(value, "~"); ok && e.Home != "" && (rest == "" || rest[0] == '/') {
		return filepath.Join(e.Home, rest)
	}
	return value
}

func joinUnlessEmpty(folder, name string) string {
	if folder == "" {
		return ""
	}
	return filepath.Join(folder, name)
}
