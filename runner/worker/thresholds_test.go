package worker_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"headroom/metrics/stability"
	"headroom/sweeps"
)

// The detectors are tested with stability.Defaults, runs are judged with what sweeps
// fills in, and neither package may import the other: here they are held together.
func TestSweepsAndDetectorsHaveTheSameThresholds(t *testing.T) {
	text, err := sweeps.Defaults().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Stability map[string]json.RawMessage `json:"stability"`
	}
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	delete(config.Stability, "stop")
	if text, err = json.Marshal(config.Stability); err != nil {
		t.Fatal(err)
	}
	var got stability.Thresholds
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if want := stability.Defaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("sweeps fills in\n%+v\nand the detectors are tested with\n%+v", got, want)
	}
}
