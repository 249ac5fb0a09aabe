package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// visibleGPUs lists the NVIDIA devices that workers may use, as
// CUDA_VISIBLE_DEVICES names them: what that variable allows, else all.
func visibleGPUs(getenv func(string) string) []string {
	if allowed := getenv("CUDA_VISIBLE_DEVICES"); allowed != "" {
		if allowed == "-1" {
			return nil
		}
		return strings.Split(allowed, ",")
	}
	paths, err := filepath.Glob("/dev/nvidia[0-9]*")
	if err != nil {
		return nil
	}
	var numbers []int
	for _, path := range paths {
		if n, err := strconv.Atoi(strings.TrimPrefix(path, "/dev/nvidia")); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	gpus := make([]string, len(numbers))
	for i, n := range numbers {
		gpus[i] = strconv.Itoa(n)
	}
	return gpus
}

// gpuDriver is the version of the NVIDIA driver, "" without one.
func gpuDriver() string {
	text, err := os.ReadFile("/sys/module/nvidia/version")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// cpuModel names the processor where the system tells.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
