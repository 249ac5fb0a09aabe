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

// Collections is what each reference to data held when somebody last looked:
// collections.json. In a workspace that was copied away from its data, nothing else says
// which evaluations are current.
type Collections struct {
	Schema     int         `json:"schema"`
	References []Reference `json:"references"`
}

// Reference is a split of a collection under the name that somebody gave it.
type Reference struct {
	Reference string `json:"reference"`
	Split     string `json:"split"`
	// Collection is the digest of corpus, queries and the split's qrels; "" if the
	// reference is gone and another one holds what it held.
	Collection string `json:"collection_digest"`
}

// ReadCollections reads a workspace's collections.json, which need not exist. seal.IsDamage
// is true of its error if the file is damaged.
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

// The splits that runs are measured on: at their end, and while they train.
const (
	FinalSplit  = "test"
	DuringSplit = "dev"
)

// Asked lists the collections that a run's configuration, as nested JSON, wants to be
// measured on. Their digests are empty.
func Asked(config json.RawMessage) ([]Reference, error) {
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

// CollectionName is what a reference is called in tables: a folder by its last
// element, anything else as it is written.
func CollectionName(reference string) string {
	if !filepath.IsAbs(reference) && !strings.HasPrefix(reference, ".") {
		return reference
	}
	return filepath.Base(reference)
}

// WithDigest adds the beginning of a digest to a name that several contents have.
func WithDigest(name, digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	return name + "@" + digest[:min(8, len(digest))]
}
