package record

import "headroom/sweeps"

// IdentityFile is the file's name in a workspace.
const IdentityFile = "workspace.json"

// Identity is the content of a workspace's identity file: a name that no other workspace
// has, and the version of the form of its files.
type Identity struct {
	ID     string `json:"id"`
	Format int    `json:"format"`
}

// Provenance records what made a result, besides its configuration and inputs.
type Provenance struct {
	Schema     int               `json:"schema"`
	Overrides  []string          `json:"overrides"`  // of the sweep, as given
	Executable string            `json:"executable"` // digest of the program's file
	Commit     string            `json:"commit"`     // "" if the build recorded none
	Dirty      bool              `json:"dirty"`
	Go         string            `json:"go"`
	SIMD       bool              `json:"simd"`
	System     string            `json:"system"`
	Modules    map[string]string `json:"modules"`
	Backend    string            `json:"backend"` // as configured
	Devices    []string          `json:"devices"` // GPUs given to the pool
	Driver     string            `json:"driver"`  // of the GPUs; "" without
	CPU        string            `json:"cpu"`
	Threads    int               `json:"threads"` // of a worker
	Host       string            `json:"host"`
	Sweep      string            `json:"sweep"`
	Revision   string            `json:"revision"`
}

// Baseline is an evaluation without training: of BM25, or of a backbone as it is. The
// lengths, measures and compute settings are in the configuration beside it.
type Baseline struct {
	Schema   int           `json:"schema"`
	ID       string        `json:"id"`       // its evaluation's id
	Name     string        `json:"name"`     // "bm25", "untrained"
	Dataset  string        `json:"dataset"`  // reference
	Split    string        `json:"split"`    // of its qrels
	Backbone string        `json:"backbone"` // reference; "" for BM25
	Inputs   sweeps.Inputs `json:"inputs"`   // of the backbone; empty for BM25
}
