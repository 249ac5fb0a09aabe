package record

import (
	"encoding/json"
	"fmt"
	"strings"

	"headroom/internal/seal"
)

// Manifest lists what a revision of a sweep consists of. The store and the
// reports read it; they need no sweep file.
type Manifest struct {
	Schema   int    `json:"schema"`
	Sweep    string `json:"sweep"`
	Question string `json:"question"`
	Revision string `json:"revision"`
	// Overrides are set in revisions that an older program wrote: their runs are those of
	// the text with these overrides.
	Overrides []string `json:"overrides"`
	// Base is the folder to which ./path in the sweep is relative.
	Base string `json:"base"`
	// Text is the digest of the sweep's text, "sha256:…"; workspace.WriteSweep sets it. It is ""
	// if an older program wrote the manifest.
	Text      string             `json:"text,omitempty"`
	Runs      []ManifestRun      `json:"runs"`
	Baselines []ManifestBaseline `json:"baselines"`
}

// ManifestRun is one run of a sweep.
type ManifestRun struct {
	Run      string          `json:"run"`
	Label    string          `json:"label"`
	Backbone string          `json:"backbone"`
	Rescale  json.RawMessage `json:"rescale"` // a number, or the name of an automatic choice
	Seed     int64           `json:"seed"`
	Config   json.RawMessage `json:"config"`
	// Added are the overrides that made it; none for a point of the text itself.
	Added []string `json:"added,omitempty"`
}

// ManifestBaseline is one baseline of a sweep.
type ManifestBaseline struct {
	ID string `json:"id"`
	// Encoder is the part of its id that does not depend on the collection
	// (sweeps.EncoderID).
	Encoder  string `json:"encoder"`
	Dataset  string `json:"dataset"`
	Name     string `json:"name"`
	Backbone string `json:"backbone"`
	// Added is true if overrides asked for it, and not the text.
	Added bool `json:"added,omitempty"`
}

// ReadManifest reads a revision's manifest. If the file is not what was written,
// seal.IsDamage is true of the error.
func ReadManifest(path string) (m Manifest, err error) {
	if err := seal.ReadJSON(path, &m); err != nil {
		return m, err
	}
	if m.Schema != 1 {
		return m, fmt.Errorf("%s: schema is %d: want 1", path, m.Schema)
	}
	for i, r := range m.Runs {
		if r.Run == "" || strings.ContainsAny(r.Run, `/\`) {
			return m, fmt.Errorf("%s: run %d has the id %q", path, i+1, r.Run)
		}
	}
	return m, nil
}
