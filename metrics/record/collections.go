package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"headroom/internal/seal"
)

// CollectionsFile is the file's name in a workspace.
const CollectionsFile = "collections.json"

// Collections records what each reference to data contained when a command last read it:
// collections.json. In a workspace that was copied without its data, only this file tells
// which evaluations are current.
type Collections struct {
	Schema     int         `json:"schema"`
	References []Reference `json:"references"`
}

// Reference is a split of a collection, under the name by which a sweep refers to it.
type Reference struct {
	Reference string `json:"reference"`
	Split     string `json:"split"`
	// Collection is the digest of corpus, queries and the split's qrels; "" if the
	// reference no longer exists and another one has its contents.
	Collection string `json:"collection_digest"`
}

// ReadCollections reads a workspace's collections.json, which need not exist. If the file
// is damaged, seal.IsDamage is true of the error.
func ReadCollections(workspace string) (Collections, error) {
	path := filepath.Join(workspace, CollectionsFile)
	c := Collections{}
	err := seal.ReadJSON(path, &c)
	if errors.Is(err, fs.ErrNotExist) {
		return Collections{Schema: 1}, nil
	}
	if err == nil && c.Schema != 1 {
		err = fmt.Errorf("%s: schema is %d: want 1", path, c.Schema)
	}
	if err != nil {
		return Collections{}, fmt.Errorf("read collections: %w", err)
	}
	return c, nil
}

// The splits that runs are evaluated on at their end, and during training.
const (
	FinalSplit  = "test"
	DuringSplit = "dev"
)

// AskedReferences returns the collections that a run's configuration, given as nested JSON,
// asks to be evaluated on. Their digests are empty.
func AskedReferences(config json.RawMessage) ([]Reference, error) {
	if len(config) == 0 {
		return nil, nil
	}
	var c struct {
		Evaluate struct {
			Final  []string `json:"final"`
			During []string `json:"during"`
		} `json:"evaluate"`
	}
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, err
	}
	var list []Reference
	for _, name := range c.Evaluate.Final {
		list = append(list, Reference{Reference: name, Split: FinalSplit})
	}
	for _, name := range c.Evaluate.During {
		list = append(list, Reference{Reference: name, Split: DuringSplit})
	}
	return list, nil
}

// CollectionName returns the name of a reference in tables: a folder's last element, any
// other reference as it is written.
func CollectionName(reference string) string {
	if !filepath.IsAbs(reference) && !strings.HasPrefix(reference, ".") {
		return reference
	}
	return filepath.Base(reference)
}

// WithDigest adds the beginning of a digest to a name that several collections share.
func WithDigest(name, digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return name + "@" + digest[:min(8, len(digest))]
}
