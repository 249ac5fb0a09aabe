package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Version is the program's version. CITATION.cff and CHANGELOG.md name it too; a test compares them.
const Version = "0.2.0"

// buildInfo describes the build of a binary.
type buildInfo struct {
	Version string            `json:"version"`
	Commit  string            `json:"commit"` // "" if the build did not record it
	Dirty   bool              `json:"dirty"`
	Go      string            `json:"go"`
	SIMD    bool              `json:"simd"`
	XLA     bool              `json:"xla"`
	System  string            `json:"system"`
	Modules map[string]string `json:"modules"`
}

func readBuildInfo() buildInfo {
	info := buildInfo{Version: Version, Go: runtime.Version(), XLA: xlaLinked, System: runtime.GOOS + "/" + runtime.GOARCH, Modules: map[string]string{}}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Commit = setting.Value
		case "vcs.modified":
			info.Dirty = setting.Value == "true"
		case "GOEXPERIMENT":
			info.SIMD = strings.Contains(setting.Value, "simd") && !strings.Contains(setting.Value, "nosimd")
		}
	}
	for _, module := range build.Deps {
		info.Modules[module.Path] = module.Version
	}
	return info
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "the version, and what this binary was built from",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

// printVersion is `headroom version` and `headroom --version`.
func (a *app) printVersion() error {
	info := readBuildInfo()
	if a.global.json {
		return a.printJSON(struct {
			Schema int `json:"schema"`
			buildInfo
		}{schema, info})
	}
	backends := "go"
	if info.XLA {
		backends += ", xla"
	}
	simd := "no (built without GOEXPERIMENT=simd: slow)"
	if info.SIMD {
		simd = "yes"
	}
	fmt.Fprintf(a.stdout, "headroom %s (%s)\n%s %s, backends: %s, simd: %s\n", info.Version, commitOf(info.Commit, info.Dirty), info.Go, info.System, backends, simd)
	return nil
}
