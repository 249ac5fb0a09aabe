package cli

import (
	"slices"
	"testing"
)

func TestWorkersMayUseTheGPUsThatTheirEnvironmentAllows(t *testing.T) {
	for text, want := range map[string][]string{
		"":              nil,
		"-1":            nil,
		"2":             {"2"},
		"1,0":           {"1", "0"},
		"0,-1,1":        {"0"},
		"GPU-a, GPU-b,": {"GPU-a", "GPU-b"},
	} {
		got := visibleGPUs([]string{"CUDA_VISIBLE_DEVICES=7", "PATH=/bin", "CUDA_VISIBLE_DEVICES=" + text})
		if !slices.Equal(got, want) {
			t.Errorf("CUDA_VISIBLE_DEVICES=%q: %q, want %q", text, got, want)
		}
	}
}
