package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headroom/internal/glob"
)

// Plugin is a PJRT plugin: the library through which XLA reaches a device.
type Plugin struct {
	Path string // absolute
	CUDA bool
}

// Search is the result of a search for plugins.
type Search struct {
	Found []Plugin
	Tried []string // one line per place, with what it held
}

// PluginEnv holds the parts of the surroundings that a search reads.
type PluginEnv struct {
	Getenv func(string) string
	// SitePackages asks Python environments for their package folders.
	SitePackages func() []string
	GPU          bool // a GPU is visible
}

// pluginPaths names the folders that replace every other place, as in go-xla.
const pluginPaths = "PJRT_PLUGIN_LIBRARY_PATH"

// pluginNames are the names of plugins' files: two of go-xla, one of jax.
var pluginNames = []string{"pjrt_c_api_*_plugin.so", "pjrt[-_]plugin[-_]*.so", "xla_cuda_plugin.so"}

// isCUDA reports, by its path, whether a plugin is for CUDA, as go-xla does when it chooses options.
func isCUDA(path string) bool {
	upper := strings.ToUpper(path)
	return strings.Contains(upper, "CUDA") || strings.Contains(upper, "NVIDIA")
}

// FindPlugins looks in the folders of PJRT_PLUGIN_LIBRARY_PATH or, if that is not
// set, in go-xla's own folders and for the jax CUDA plugin of Python environments. It
// loads no plugin.
func FindPlugins(env PluginEnv) Search {
	var s Search
	if list := env.Getenv(pluginPaths); list != "" {
		for _, folder := range filepath.SplitList(list) {
			if folder != "" {
				s.searchFolder(folder, pluginNames...)
			}
		}
		return s
	}
	s.Tried = append(s.Tried, pluginPaths+" is not set")
	var folders []string
	if home := env.Getenv("HOME"); home != "" {
		folders = append(folders, filepath.Join(home, ".local/lib/go-xla"), filepath.Join(home, ".local/lib/go-xla/nvidia"))
	}
	for _, folder := range append(folders, "/usr/local/lib/go-xla", "/usr/local/lib/go-xla/nvidia") {
		s.searchFolder(folder, pluginNames...)
	}
	if !env.GPU {
		s.Tried = append(s.Tried, "Python environments: not asked, no GPU is visible")
		return s
	}
	for _, folder := range env.SitePackages() {
		s.searchFolder(folder, "jax_plugins/xla_cuda*/xla_cuda_plugin.so")
	}
	return s
}

// searchFolder adds the plugins in a folder.
func (s *Search) searchFolder(folder string, patterns ...string) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		s.Tried = append(s.Tried, fmt.Sprintf("%s: %v", folder, err))
		return
	}
	if info, err := os.Stat(absolute); err != nil || !info.IsDir() {
		s.Tried = append(s.Tried, absolute+": no such folder")
		return
	}
	before := len(s.Found)
	for _, pattern := range patterns {
		// A folder's own name may hold characters that have a meaning in patterns.
		found, err := filepath.Glob(filepath.Join(glob.Literal(absolute), pattern))
		if err != nil {
			continue
		}
		for _, path := range found {
			if !slices.ContainsFunc(s.Found, func(p Plugin) bool { return p.Path == path }) {
				s.Found = append(s.Found, Plugin{Path: path, CUDA: isCUDA(path)})
				s.Tried = append(s.Tried, absolute+": "+strings.TrimPrefix(path, absolute+"/"))
			}
		}
	}
	if len(s.Found) == before {
		s.Tried = append(s.Tried, absolute+": no plugin")
	}
}

// Choose returns a CUDA plugin if a GPU is visible, else a plugin for the CPU. It
// never chooses the CPU in place of a GPU.
func (s Search) Choose(gpu bool) (Plugin, error) {
	for _, p := range s.Found {
		if p.CUDA == gpu {
			return p, nil
		}
	}
	tried := "tried " + strings.Join(s.Tried, "; ")
	switch {
	case gpu && len(s.Found) > 0:
		return Plugin{}, fmt.Errorf("%w: a GPU is visible, and only a plugin for the CPU was found (%s): install jax[cuda13] for python3, "+
			`or name the plugin, "xla:/path/to/plugin.so"; %s`, ErrNoPlugin, s.Found[0].Path, tried)
	case gpu:
		return Plugin{}, fmt.Errorf(`%w: install jax[cuda13] for python3, or name the plugin, "xla:/path/to/plugin.so"; %s`, ErrNoPlugin, tried)
	case len(s.Found) > 0:
		return Plugin{}, fmt.Errorf(`%w: the plugin %s needs an NVIDIA GPU and none is visible; use compute.backend = "go", or a plugin for the CPU, "xla:/path/to/plugin.so"`,
			ErrNoGPU, s.Found[0].Path)
	}
	return Plugin{}, fmt.Errorf(`%w: name one, "xla:/path/to/plugin.so", or use compute.backend = "go"; %s`, ErrNoPlugin, tried)
}

// HostPlugins searches on this machine.
func HostPlugins() Search {
	return FindPlugins(PluginEnv{Getenv: os.Getenv, SitePackages: sitePackages, GPU: visibleGPU() != ""})
}

// askPython prints a Python environment's package folders, one per line.
const askPython = "import site,sysconfig;print('\\n'.join([sysconfig.get_paths()['platlib'],sysconfig.get_paths()['purelib'],site.getusersitepackages(),*getattr(site,'getsitepackages',list)()]))"

// sitePackages asks python3 and looks in the usual places.
func sitePackages() []string {
	var folders []string
	add := func(folder string) {
		if folder != "" && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	interpreters := []string{"python3"}
	for _, name := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if prefix := os.Getenv(name); prefix != "" {
			interpreters = append([]string{filepath.Join(prefix, "bin/python3")}, interpreters...)
		}
	}
	for _, python := range interpreters {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		output, err := exec.CommandContext(ctx, python, "-c", askPython).Output()
		cancel()
		if err != nil {
			continue // usually because there is no such interpreter
		}
		for line := range strings.Lines(string(output)) {
			add(strings.TrimSpace(line))
		}
	}
	for _, pattern := range []string{"/usr/local/lib/python3*/*-packages", "/usr/lib/python3*/*-packages", "/opt/*/lib/python3*/site-packages", os.Getenv("HOME") + "/.local/lib/python3*/site-packages"} {
		if found, err := filepath.Glob(pattern); err == nil {
			for _, folder := range found {
				add(folder)
			}
		}
	}
	return folders
}

// cudaDataDir is the folder with nvvm/libdevice for a plugin: that of the wheels next
// to it, else that of a CUDA installation, "" if there is none.
func cudaDataDir(plugin string, getenv func(string) string) string {
	site := filepath.Dir(filepath.Dir(filepath.Dir(plugin))) // site-packages/jax_plugins/xla_cuda13/x.so
	candidates := []string{filepath.Join(filepath.Dir(plugin), "nvidia")}
	for _, pattern := range []string{"nvidia/cu[0-9]*", "nvidia/cuda_nvcc", "nvidia"} {
		if found, err := filepath.Glob(filepath.Join(glob.Literal(site), pattern)); err == nil {
			candidates = append(candidates, found...)
		}
	}
	candidates = append(candidates, getenv("CUDA_HOME"), getenv("CUDA_PATH"), "/usr/local/cuda")
	for _, folder := range candidates {
		if folder == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(folder, "nvvm/libdevice/libdevice.10.bc")); err == nil {
			return folder
		}
	}
	return ""
}

// cudaFlags is XLA_FLAGS with the flags that a CUDA plugin needs. They say where CUDA's
// files are, and ask for operations whose results do not depend on timing. XLA then does not
// try out kernels but takes its first one for a matrix product; without Triton's kernels that
// is the choice of cuBLAS. Products of queries and of documents with the same weight are not
// merged, since XLA would copy both into one matrix first. Flags that are set already stay.
func cudaFlags(plugin string, getenv func(string) string) string {
	flags := withFlag(getenv("XLA_FLAGS"), "--xla_gpu_cuda_data_dir", cudaDataDir(plugin, getenv))
	flags = withFlag(flags, "--xla_gpu_dot_merger_threshold_mb", "0")
	flags = withFlag(flags, "--xla_gpu_deterministic_ops", "true")
	if strings.Contains(flags, "--xla_gpu_deterministic_ops=false") {
		return flags
	}
	return withFlag(flags, "--xla_gpu_enable_triton_gemm", "false")
}

// cpuFlags is XLA_FLAGS with the flag that XLA's CPU client needs: a maximum that keeps NaN.
// By default it drops NaN, and pooled logits that are not finite would look like an empty
// vector.
func cpuFlags(getenv func(string) string) string {
	return withFlag(getenv("XLA_FLAGS"), "--xla_cpu_enable_fast_min_max", "false")
}

// withFlag adds a flag, unless its value is empty or the flag is set already.
func withFlag(flags, name, value string) string {
	if value == "" || strings.Contains(flags, name) {
		return flags
	}
	return strings.TrimSpace(flags + " " + name + "=" + value)
}
