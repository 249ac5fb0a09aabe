// Package source turns a reference in a sweep file, a recipe or on the command
// line into a folder on this machine, and folders into digests.
//
// A reference is one of
//
//	./path, ../path   a folder, from Base and then from each of Also
//	/path             a folder
//	data:PATH         DataRoot/PATH
//	builtin:demo      the synthetic collection; builtin:demo-no-overlap, its
//	                  queries that share no content word with their document
//	family:name       a collection that has a name: a user's own, DataRoot/family/name, or a
//	                  published one (package published), then the cache
//	recipe:NAME       a backbone made by a pretraining recipe
//	owner/name[@rev]  a model of the hub, as the hub's own cache holds it
//
// No reference leads outside its root: names with "..", absolute parts or
// separators if none belong are refused. A path that does not exist is an
// error. ErrUnresolved is kept for what may still come to be: hub models that
// are not in the cache, recipes not yet made, collections not yet fetched.
//
// Only Fetch and FetchTokenizer download models of the hub, into the hub's own
// cache as huggingface_hub lays it out, and only Get published collections, into
// CacheDir. Everything else looks at this machine's disks alone.
package source

import (
	"errors"

	"headroom/data/download"
)

// ErrUnresolved is returned when a reference is well formed but its target is absent:
// a hub model or collection that is not cached, or a recipe that has not been run. The
// message says how to get it.
var ErrUnresolved = errors.New("not available yet")

// Resolver knows the roots that references start from. Its methods are safe for
// concurrent use once the fields are set.
type Resolver struct {
	// DataRoot is the folder of data:PATH and family:name; "" if
	// HEADROOM_DATA is not set, which makes data:PATH an error.
	DataRoot string
	// CacheDir holds what can be made again: the built-in collection, digests.
	// With "" nothing is kept and the built-in collection cannot be made.
	CacheDir string
	// HubCache is the hub's own cache ("…/huggingface/hub").
	HubCache string
	// Workspace holds backbones/<recipe id>.
	Workspace string
	// Hub is where Fetch downloads from.
	Hub download.Hub
	// Verify takes every digest again. Otherwise one is remembered until a file's path, size
	// or time changes.
	Verify bool
	// Mirror is an address under which the files of published collections stand as
	// MIRROR/HOST/PATH; "" asks their own hosts.
	Mirror string
	// TableFile is read in place of the table of collections that comes with the program;
	// "" reads that.
	TableFile string
	// Own are the collections that a user has named; they come before all others.
	Own []Own
	// Free says how many bytes are free where a folder is or will be; nil does not look.
	Free func(folder string) (bytes uint64, known bool)
	// Offline forbids every download.
	Offline bool
	// Base is the folder that ./path starts from; "" is the working directory.
	Base string
	// Also are folders tried after Base.
	Also []string
	// Builtin makes the built-in collection below a cache folder, once.
	Builtin func(cacheDir string) (Builtin, error)
	// Notice is told what takes long, from another goroutine; nil tells nobody.
	Notice func(message string)
	// RecipeID names the backbone that recipe:NAME makes; nil refuses recipes.
	RecipeID func(name string) (id string, err error)

	// tables keeps the table of collections; nil reads it each time.
	tables *tables
}

// Builtin is where the built-in collection has been made.
type Builtin struct{ Folder, NoOverlapFolder, TokenizerFile string }
