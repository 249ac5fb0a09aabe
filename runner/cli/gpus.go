package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// visibleGPUs lists the NVIDIA devices that workers may use, by their names in
// CUDA_VISIBLE_DEVICES: those that this variable of the environment allows, none if
// it is set to "", and all if it is not set. As in CUDA, a -1 ends the list.
func visibleGPUs(environ []string) []string {
	for _, variable := range slices.Backward(environ) {
		allowed, found := strings.CutPrefix(variable, "CUDA_VISIBLE_DEVICES=")
		if !found {
			continue
		}
		var gpus []string
		for name := range strings.SplitSeq(allowed, ",") {
			name = strings.TrimSpace(name)
			if name == "" || name == "-1" {
				break
			}
			gpus = append(gpus, name)
		}
		return gpus
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

// cpuModel names the processor if the system tells.
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
