package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/runner/engine"
)

// place makes an empty file where a plugin would lie.
func place(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPluginsAreLookedForWhereTheyLie(t *testing.T) {
	home, site, named := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "with [brackets]")
	cpu := place(t, home, ".local/lib/go-xla/pjrt_c_api_cpu_plugin.so")
	jax := place(t, site, "jax_plugins/xla_cuda13/xla_cuda_plugin.so")
	own := place(t, named, "pjrt_c_api_cpu_plugin.so")
	place(t, named, "unrelated.so")
	env := map[string]string{"HOME": home}
	search := func(gpu bool) engine.Search {
		return engine.FindPlugins(engine.PluginEnv{Getenv: func(n string) string { return env[n] }, SitePackages: func() []string { return []string{site} }, GPU: gpu})
	}
	for _, c := range []struct {
		gpu  bool
		want string
	}{{false, cpu}, {true, jax}} {
		if p, err := search(c.gpu).Choose(c.gpu); err != nil || p.Path != c.want {
			t.Errorf("with GPU %v: %q (%v), want %q", c.gpu, p.Path, err, c.want)
		}
	}
	// The variable replaces every other place.
	env["PJRT_PLUGIN_LIBRARY_PATH"] = named + ":/nowhere"
	if s := search(false); len(s.Found) != 1 || s.Found[0].Path != own {
		t.Errorf("found %v, want %s only", s.Found, own)
	}
	_, err := search(true).Choose(true)
	if !errors.Is(err, engine.ErrNoPlugin) || !strings.Contains(err.Error(), "only a plugin for the CPU") || !strings.Contains(err.Error(), "/nowhere: no such folder") {
		t.Errorf("a plugin for the CPU in place of a GPU: %v", err)
	}
	env["PJRT_PLUGIN_LIBRARY_PATH"] = filepath.Dir(jax)
	if _, err := search(false).Choose(false); !errors.Is(err, engine.ErrNoGPU) {
		t.Errorf("a CUDA plugin without a GPU: %v", err)
	}
	env["PJRT_PLUGIN_LIBRARY_PATH"] = "/nowhere"
	if _, err := search(false).Choose(false); !errors.Is(err, engine.ErrNoPlugin) || !strings.Contains(err.Error(), `compute.backend = "go"`) {
		t.Errorf("no plugin: %v", err)
	}
}

func TestFaultsOfXLASayWhatToDo(t *testing.T) {
	for text, want := range map[string]error{
		"PJRT error (code=8): RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.":                                                 engine.ErrDeviceMemory,
		"PJRT error (code=13): INTERNAL: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered":                                               engine.ErrDeviceLost,
		"PJRT error (code=9): no supported devices found for platform CUDA: failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected": engine.ErrNoGPU,
		"PJRT error (code=13): CUDA error: device-side assert triggered":                                                                                     engine.ErrDeviceLost,
		"PJRT error (code=2): Unable to launch: CUDA_ERROR_UNKNOWN: unknown error":                                                                           engine.ErrDeviceLost,
		// Of a lost device no memory can be had either.
		"PJRT error (code=8): Out of memory while trying to allocate 16 bytes: CUDA_ERROR_ECC_UNCORRECTABLE":                                        engine.ErrDeviceLost,
		"PJRT error (code=13): Failed to create cuBLAS handle: CUBLAS_STATUS_ALLOC_FAILED":                                                          engine.ErrDeviceMemory,
		"PJRT error: CUDA driver version is insufficient for CUDA runtime version":                                                                  engine.ErrDriver,
		"Unexpected PJRT_Client_Create_Args size: expected 96, got 64. Check installed software versions. The framework PJRT API version is 0.104.": engine.ErrPluginVersion,
	} {
		if err := engine.Explain(errors.New(text)); !errors.Is(err, want) || !strings.Contains(err.Error(), strings.TrimSuffix(text, ".")) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := errors.New("something else"); engine.Explain(err) != err {
		t.Error("an unknown fault was changed")
	}
	// GoMLX puts the values of a tensor that could not be copied before the cause.
	values := "cannot convert argument 0: [4][21]int32{\n" + strings.Repeat("{60, 48, 70},\n", 100) + "}: backend: "
	for _, said := range []string{"PJRT error (code=8): Out of memory", "PJRT error (code=13): nobody knows"} {
		if err := engine.Explain(errors.New(values + said)); !strings.HasSuffix(err.Error(), said) || strings.Contains(err.Error(), "60, 48") {
			t.Errorf("of a tensor and %q it says %v", said, err)
		}
	}
	if got := engine.Explain(errors.New("RESOURCE_EXHAUSTED\n" + strings.Repeat("row\n", 5000))).Error(); len(got) > 1000 {
		t.Errorf("a message of %d characters", len(got))
	}
}

func TestCUDAFlagsKeepWhatIsSet(t *testing.T) {
	site := t.TempDir()
	plugin := place(t, site, "jax_plugins/xla_cuda13/xla_cuda_plugin.so")
	place(t, site, "nvidia/cu13/nvvm/libdevice/libdevice.10.bc")
	flags := func(set string) string {
		return engine.CUDAFlags(plugin, func(name string) string {
			if name == "XLA_FLAGS" {
				return set
			}
			return ""
		})
	}
	if got, want := flags(""), "--xla_gpu_cuda_data_dir="+site+"/nvidia/cu13 --xla_gpu_dot_merger_threshold_mb=0 --xla_gpu_deterministic_ops=true --xla_gpu_enable_triton_gemm=false"; got != want {
		t.Errorf("XLA_FLAGS %q, want %q", got, want)
	}
	for _, own := range []string{"--xla_gpu_deterministic_ops=false", "--xla_gpu_enable_triton_gemm=true --xla_gpu_deterministic_ops=true"} {
		if got, want := flags("--xla_gpu_cuda_data_dir=/own --xla_gpu_dot_merger_threshold_mb=9 "+own), "--xla_gpu_cuda_data_dir=/own --xla_gpu_dot_merger_threshold_mb=9 "+own; got != want {
			t.Errorf("XLA_FLAGS %q, want %q", got, want)
		}
	}
}

func TestAPluginThatCannotBeIsAnErrorNotAPanic(t *testing.T) {
	for name, backend := range map[string]string{"missing": "xla:/nowhere/plugin.so", "relative": "xla:plugin.so", "unknown": "tpu"} {
		if _, err := engine.Open(backend, 1); !errors.Is(err, engine.ErrBackend) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
