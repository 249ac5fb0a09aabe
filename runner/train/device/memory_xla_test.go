//go:build xla

package device_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"k8s.io/klog/v2"

	"headroom/internal/xlatest"
	"headroom/models/hf"
	"headroom/runner/engine"
	"headroom/runner/train/conformance"
	"headroom/runner/train/device"
)

// HEADROOM_XLA_MEMORY=Ettin-17m,... compiles steps of real size, which takes minutes and
// gigabytes, and shows XLA's own account of the memory that they need.
func TestXLAMemoryOfRealSize(t *testing.T) {
	names := os.Getenv("HEADROOM_XLA_MEMORY")
	if names == "" {
		t.Skip("HEADROOM_XLA_MEMORY names no shape: nothing of real size is compiled")
	}
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	if err := flags.Set("v", "1"); err != nil {
		t.Fatal(err)
	}
	e := xlatest.Open(t)
	for name := range strings.SplitSeq(names, ",") {
		shape := realShapes[name]
		shape.CLS, shape.SEP, shape.PAD = 1, 2, 0
		cfg, err := hf.NewConfig(shape)
		if err != nil {
			t.Fatal(err)
		}
		for _, remat := range []bool{true, false} {
			m, err := engine.Outline(e, cfg, true)
			if err != nil {
				t.Fatal(err)
			}
			run := conformance.Config(100)
			run.Train.Precision, run.Compute.Remat, run.Model.Dropout = "bfloat16", remat, nil
			s, err := device.New(m, run)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, remat %v: 64 queries of 64 tokens, 128 documents of 256", name, remat)
			if err := s.Build(64, 64, 128, 256); err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
	}
}
