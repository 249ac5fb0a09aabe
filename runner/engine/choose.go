package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Check returns the error with which Open would refuse a backend here. It neither loads a
// plugin nor opens a device, so it cannot find every fault.
func Check(name string) error {
	_, _, err := choose(name)
	return err
}

// choose returns the meaning of a backend's name on this machine: "go", or "xla" and its plugin.
func choose(name string) (kind string, plugin Plugin, err error) {
	kind, path, _ := strings.Cut(name, ":")
	switch kind {
	case "", "auto":
		gpu := visibleGPU()
		if gpu == "" {
			return "go", plugin, nil
		}
		if !xlaLinked {
			return "", plugin, fmt.Errorf("open backend %q: %w: a GPU is visible (%s) but this program was built without XLA; "+
				"build with make build-xla, or ask for the CPU with compute.backend = \"go\"", name, ErrBackend, gpu)
		}
	case "go":
		return kind, plugin, nil
	case "xla":
	default:
		return "", plugin, fmt.Errorf("open backend %q: %w: allowed are auto, go, xla, xla:/path/to/plugin.so", name, ErrBackend)
	}
	if plugin, err = choosePlugin(path); err != nil {
		return "", plugin, fmt.Errorf("open backend %q: %w: %w", name, ErrBackend, err)
	}
	return "xla", plugin, nil
}

// choosePlugin returns the plugin at a path, or the one that a search finds if path is "".
func choosePlugin(path string) (Plugin, error) {
	plugin := Plugin{Path: path, CUDA: isCUDA(path)}
	switch {
	case !xlaLinked:
		return plugin, errors.New("this program was built without XLA; build with make build-xla")
	case path == "":
		var err error
		if plugin, err = HostPlugins().Choose(visibleGPU() != ""); err != nil {
			return plugin, err
		}
	case !filepath.IsAbs(path) || strings.Contains(path, ","):
		return plugin, fmt.Errorf("plugin %q: write its absolute path, without commas: xla:/path/to/plugin.so", path)
	}
	if info, err := os.Stat(plugin.Path); err != nil || !info.Mode().IsRegular() {
		return plugin, fmt.Errorf("plugin %q: %w: no such file", plugin.Path, ErrNoPlugin)
	}
	return plugin, nil
}
