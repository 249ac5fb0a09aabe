package mlmhead_test

import (
	"testing"

	"headroom/models/mlmhead"
)

func TestAShiftMovesTheBiasByWhatTheLogitsLose(t *testing.T) {
	bias := []float32{1, -2}
	if err := mlmhead.Shift(bias, 3, .5); err != nil || bias[0] != -5 || bias[1] != -8 { // .5·(b − 6) = .5·b − 3
		t.Errorf("bias %v, %v", bias, err)
	}
	if err := mlmhead.Shift(nil, 3, 1); err == nil {
		t.Error("a head without a bias is shifted")
	}
	if err := mlmhead.Shift(nil, 0, 1); err != nil {
		t.Errorf("no shift: %v", err)
	}
}
