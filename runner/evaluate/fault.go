package evaluate

import "errors"

// ErrNonFinite is returned when a model's output is not finite and the encoder was not
// told to go on all the same: its weights have overflowed.
var ErrNonFinite = errors.New("the model's output is not finite")
