package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gomlx/compute"
)

// The faults of a device. What to do about full memory depends on the work, so the package
// that runs the work adds that to the message.
var (
	// ErrBackend is returned when a backend cannot be opened: the request is wrong, not
	// the program.
	ErrBackend = errors.New("backend not available")
	// ErrNoPlugin: no PJRT plugin was found.
	ErrNoPlugin = errors.New("no PJRT plugin for XLA was found")
	// ErrNoGPU: a plugin needs a GPU, and there is none that this process may use.
	ErrNoGPU = errors.New("no usable GPU")
	// ErrDriver: the machine's driver is older than the plugin needs.
	ErrDriver = errors.New("the NVIDIA driver is too old for this plugin: update the driver, or install a plugin for an older CUDA (jax[cuda12])")
	// ErrPluginVersion: plugin and program do not speak the same version of PJRT.
	ErrPluginVersion = errors.New("the plugin is of another version than this program can use; known to work: those of jax 0.11")
	// ErrDeviceMemory: the device's memory is full. Tensors on the device are unchanged.
	ErrDeviceMemory = errors.New("the device's memory is full")
	// ErrDeviceLost: the device failed while it computed, and all tensors on it are lost.
	ErrDeviceLost = errors.New("the device was lost: run the same command again; if this comes back, see the driver's log (dmesg, nvidia-smi -q)")
)

// signs lists parts of messages of XLA, PJRT and CUDA, in lower case, with their meaning. The
// first match counts: on a lost device, allocations fail too.
var signs = []struct {
	fault error
	parts []string
}{
	{ErrDriver, []string{"driver version is insufficient", "insufficient driver", "insufficient_driver", "unsupported ptx version", "unsupported_ptx_version", "system_driver_mismatch", "forward compatibility was attempted"}},
	{ErrPluginVersion, []string{"check installed software versions", "pjrt api version", "struct_size", "pjrt_api struct", "unimplemented pjrt", "failed to parse stablehlo", "stablehlo version"}},
	{ErrNoGPU, []string{"no cuda-capable device", "cuda_error_no_device", "no visible gpu", "no gpu", "no devices found", "cuda_error_invalid_device", "invalid device ordinal", "failed call to cuinit"}},
	{ErrDeviceLost, []string{
		"cuda_error_illegal_address", "illegal memory access", "cuda_error_illegal_instruction", "cuda_error_misaligned_address", "cuda_error_invalid_address_space", "cuda_error_invalid_pc",
		"cuda_error_launch_failed", "unspecified launch failure", "cuda_error_launch_timeout", "cuda_error_assert", "device-side assert", "cublas_status_execution_failed", "cudnn_status_execution_failed",
		"cuda_error_ecc", "uncorrectable ecc", "cuda_error_nvlink_uncorrectable", "cuda_error_hardware", "cuda_error_contained", "cuda_error_external_device", "cuda_error_tensor_memory_leak",
		"device is lost", "device lost", "gpu is lost", "device has been reset", "gpu requires reset", "fallen off the bus", "nvrm: xid", "unhandled cuda error", "cuda_error_unknown",
		"cuda_error_not_initialized", "cuda_error_deinitialized", "cuda_error_context_is_destroyed", "cuda_error_system_not_ready", "cuda_error_device_unavailable",
	}},
	{ErrDeviceMemory, []string{"resource_exhausted", "(code=8)", "out of memory", "cuda_error_out_of_memory", "failed to allocate", "cublas_status_alloc_failed", "cudnn_status_alloc_failed"}},
}

// explain adds to an error of XLA its meaning for the user, if that is known.
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
				return fmt.Errorf("%w: %s", s.fault, cause(err.Error()))
			}
		}
	}
	if strings.Contains(err.Error(), pluginSaid) {
		return errors.New(cause(err.Error()))
	}
	return err
}

// pluginSaid stands before the plugin's own message in an error of go-xla.
const pluginSaid = "PJRT error (code="

// cause returns the beginning of the plugin's own message in an error's text. The layers
// around it print their work, even the values of whole tensors, and XLA adds tables of
// allocations.
func cause(text string) string {
	if i := strings.LastIndex(text, pluginSaid); i >= 0 {
		text = text[i:]
	}
	const most = 600
	lines := strings.SplitN(text, "\n", 4)
	text = strings.Join(lines[:min(3, len(lines))], " ")
	if len(text) > most {
		return text[:most] + " …"
	}
	return strings.TrimRight(text, ". ")
}

// fault explains an error of work on an open device, and remembers if the device was
// lost. A GPU that has disappeared is lost too.
func (e *Engine) fault(err error) error {
	err = explain(err)
	if errors.Is(err, ErrNoGPU) {
		err = fmt.Errorf("%w: %w", ErrDeviceLost, err)
	}
	if errors.Is(err, ErrDeviceLost) && !e.lost.Swap(true) {
		abandoned.Lock()
		abandoned.clients = append(abandoned.clients, e.backend)
		abandoned.Unlock()
	}
	return err
}

// abandoned holds the clients of lost devices, which nobody ever frees. XLA's destructors
// take an error of the device for a bug and may end the process, and a destructor that waits
// for a lost device may wait forever. The process reports the fault and ends, which frees
// everything.
var abandoned struct {
	sync.Mutex
	clients []compute.Backend
}
