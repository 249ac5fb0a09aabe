package engine

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a device. Each says what to do about it.
var (
	// ErrBackend is returned when a backend cannot be opened: the request, not the
	// program, is at fault.
	ErrBackend = errors.New("backend not available")
	// ErrNoPlugin: no PJRT plugin was found.
	ErrNoPlugin = errors.New("no PJRT plugin for XLA was found")
	// ErrNoGPU: a plugin needs a GPU, and there is none that this process may use.
	ErrNoGPU = errors.New("no usable GPU")
	// ErrDriver: the machine's driver is older than the plugin needs.
	ErrDriver = errors.New("the NVIDIA driver is too old for this plugin: update the driver, or install a plugin for an older CUDA (jax[cuda12])")
	// ErrPluginVersion: plugin and program do not speak the same version of PJRT.
	ErrPluginVersion = errors.New("the plugin is of another version than this program can use; known to work: those of jax 0.11")
	// ErrDeviceMemory: the device's memory is full.
	ErrDeviceMemory = errors.New("the device's memory is full: set or lower train.micro_batch, set compute.remat = true, or lower data.max_document")
	// ErrDeviceLost: the device failed while it computed.
	ErrDeviceLost = errors.New("the device was lost: what is in the last checkpoint is safe, run the same command again; if it comes back, see the driver's log (dmesg, nvidia-smi -q)")
)

// signs are parts of messages of XLA, PJRT and CUDA, in lower case, and what they
// mean. The first that fits counts.
var signs = []struct {
	fault error
	parts []string
}{
	{ErrDriver, []string{"driver version is insufficient", "insufficient driver", "insufficient_driver", "unsupported ptx version", "unsupported_ptx_version", "system_driver_mismatch", "forward compatibility was attempted"}},
	{ErrPluginVersion, []string{"check installed software versions", "pjrt api version", "struct_size", "pjrt_api struct", "unimplemented pjrt", "failed to parse stablehlo", "stablehlo version"}},
	{ErrNoGPU, []string{"no cuda-capable device", "cuda_error_no_device", "no visible gpu", "no gpu", "no devices found", "cuda_error_invalid_device", "invalid device ordinal", "failed call to cuinit"}},
	{ErrDeviceMemory, []string{"resource_exhausted", "(code=8)", "out of memory", "cuda_error_out_of_memory", "failed to allocate"}},
	{ErrDeviceLost, []string{"cuda_error_illegal_address", "illegal memory access", "cuda_error_launch_failed", "unspecified launch failure", "cuda_error_ecc", "uncorrectable ecc", "cuda_error_hardware", "cuda_error_contained", "device is lost", "device lost", "device has been reset", "fallen off the bus", "cuda_error_not_initialized", "cuda_error_deinitialized", "cuda_error_system_not_ready"}},
}

// explain adds to an error of XLA what it means for the user, where that is known.
func explain(err error) error {
	if err == nil {
		return nil
	}
	for _, s := range signs {
		if errors.Is(err, s.fault) {
			return err
		}
	}
	text := strings.ToLower(err.Error())
	for _, s := range signs {
		for _, part := range s.parts {
			if strings.Contains(text, part) {
				return fmt.Errorf("%w: %s", s.fault, firstLines(err.Error()))
			}
		}
	}
	return err
}

// firstLines keeps an error's message short: XLA adds whole tables of allocations.
func firstLines(text string) string {
	const most = 600
	lines := strings.SplitN(text, "\n", 4)
	text = strings.Join(lines[:min(3, len(lines))], " ")
	if len(text) > most {
		text = text[:most] + " …"
	}
	return text
}
