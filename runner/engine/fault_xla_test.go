//go:build xla

package engine_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"headroom/internal/pjrtstub"
	"headroom/internal/xlatest"
	"headroom/runner/engine"
)

// faulty opens a device that is sound until the test makes it fail, with a model on it.
func faulty(t *testing.T, plugin string, r reference) (*engine.Engine, *engine.Model) {
	t.Helper()
	xlatest.Fail(t, pjrtstub.Fault{})
	e, err := engine.Open("xla:"+plugin, 2)
	if err != nil {
		t.Fatal(err)
	}
	m, err := engine.NewModel(e, r.checkpoint, false)
	if err != nil {
		t.Fatal(err)
	}
	return e, m
}

var calls = []string{pjrtstub.Compiles, pjrtstub.Uploads, pjrtstub.Executes, pjrtstub.Downloads}

// A device whose memory is full at any call, at once or for the work that the call began,
// is an error that says so and leaves nothing behind: then the same work is done.
func TestXLADeviceWhoseMemoryIsFull(t *testing.T) {
	r := openReference(t, "bert-untied")
	e, m := faulty(t, xlatest.FaultyPlugin(t), r)
	defer e.Close()
	defer m.Close()
	var want []float32
	for _, call := range calls {
		for _, late := range []bool{false, true} {
			f := pjrtstub.Fault{Call: call, Late: late, Message: "Out of memory while trying to allocate 17179869184 bytes", Code: pjrtstub.Full}
			if late && call == pjrtstub.Compiles {
				continue
			}
			xlatest.Fail(t, f)
			_, err := m.Pool(r.ids)
			said(t, f, err, engine.ErrDeviceMemory)
			xlatest.Fail(t, pjrtstub.Fault{})
			got, err := m.Pool(r.ids)
			if want == nil {
				want = got
			}
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("after %+v: %v", f, err)
			}
		}
	}
}

// The client of a device that is lost is never freed, by nobody: there the plugin ends the
// process.
func TestXLADeviceThatIsLost(t *testing.T) {
	plugin, r := xlatest.FaultyPlugin(t), openReference(t, "bert-untied")
	for i, call := range calls {
		e, m := faulty(t, plugin, r)
		f := pjrtstub.Fault{Call: call, Lost: true, Late: i > 1, Message: "CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered"}
		xlatest.Fail(t, f)
		_, err := m.Pool(r.ids)
		said(t, f, err, engine.ErrDeviceLost)
		xlatest.Fail(t, pjrtstub.Fault{})
		if _, err := m.Pool(r.ids); !errors.Is(err, engine.ErrDeviceLost) {
			t.Errorf("after %+v: %v", f, err)
		}
		m.Close()
		e.Close()
		runtime.GC() // what is not closed is freed by Go's cleanups
		runtime.GC()
	}
}

// said checks that an error has its meaning, what the plugin said, and little more.
func said(t *testing.T, f pjrtstub.Fault, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || strings.Count(err.Error(), f.Message) != 1 || len(err.Error()) > 400 {
		t.Errorf("%+v: %v", f, err)
	}
}

// A copy from the device that failed is not taken for its values by the next one.
func TestXLACopyThatFailedIsMadeAgain(t *testing.T) {
	r := openReference(t, "bert-untied")
	e, m := faulty(t, xlatest.FaultyPlugin(t), r)
	defer e.Close()
	defer m.Close()
	batch, err := engine.NewBatch(e, r.ids, m.Config.Vocab, m.Config.PadID, m.Config.MaxTokens())
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Free()
	hidden, err := m.Hidden(batch)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Free(hidden)
	xlatest.Fail(t, pjrtstub.Fault{Call: pjrtstub.Downloads, Message: "Out of memory", Code: pjrtstub.Full})
	if err := e.Read(hidden, func([]float32) { t.Error("the copy failed and yet there are values") }); err == nil {
		t.Error("no error")
	}
	xlatest.Fail(t, pjrtstub.Fault{})
	zeros := true
	if err := e.Read(hidden, func(values []float32) {
		zeros = !slices.ContainsFunc(values, func(x float32) bool { return x != 0 })
	}); err != nil || zeros {
		t.Errorf("read again: zeros %v, %v", zeros, err)
	}
}
