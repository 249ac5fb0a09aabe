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
// No reference leads outside its root: names with "..", absolute parts or separators if
// none belong are refused. A path that does not exist is an error. ErrUnresolved is only
// for what can still be made available: hub models that are not in the cache, recipes that
// have not been run, collections that have not been downloaded.
//
// Only Fetch and FetchTokenizer download models of the hub, into the hub's own cache as
// huggingface_hub lays it out, and only Get published collections, into CacheDir. All other
// functions read this machine's disks alone.
package source

import (
	"errors"

	"headroom/data/download"
)

// ErrUnresolved is returned when a reference is well formed but its target is absent:
// a hub model or collection that is not cached, or a recipe that has not been run. The
// message says how to get it.
var ErrUnresolved = errors.New("not available yet")

// Resolver has the roots to which references are relative. Its methods are safe for
// concurrent use once the fields are set.
type Resolver struct {
	// DataRoot is the folder of data:PATH and family:name; "" if
	// HEADROOM_DATA is not set, which makes data:PATH an error.
	DataRoot string
	// CacheDir is for files that can be made again: the built-in collection, digests. With
	// "" nothing is kept and the built-in collection cannot be made.
	CacheDir string
	// HubCache is the hub's own cache ("…/huggingface/hub").
	HubCache string
	// Workspace holds backbones/<recipe id>.
	Workspace string
	// Hub is the server from which Fetch downloads.
	Hub download.Hub
	// Verify computes every digest again. Otherwise a digest is kept until a file's path,
	// size or time changes.
	Verify bool
	// Mirror is an address with copies of the published collections' files, as
	// MIRROR/HOST/PATH; "" asks their own hosts.
	Mirror string
	// TableFile replaces the program's own table of collections; "" keeps that.
	TableFile string
	// Own are the collections that a user has named; they come before all others.
	Own []Own
	// Free returns how many bytes are free where a folder is or will be; nil does not
	// check.
	Free func(folder string) (bytes uint64, known bool)
	// Offline forbids every download.
	Offline bool
	// Base is the folder to which ./path is relative; "" is the working directory.
	Base string
	// Also are folders tried after Base.
	Also []string
	// Builtin makes the built-in collection below a cache folder, once.
	Builtin func(cacheDir string) (Builtin, error)
	// Notice gets messages about work that takes long, from another goroutine; it may be
	// nil.
	Notice func(message string)
	// RecipeID returns the id of the backbone that recipe:NAME makes; nil refuses recipes.
	RecipeID func(name string) (id string, err error)

	// tables keeps the table of collections; nil reads it each time.
	tables *tables
}

// Builtin has the paths of the built-in collection.
type Builtin struct{ Folder, NoOverlapFolder, TokenizerFile string }
