package evaluate

import "errors"

// ErrNonFinite is returned when a model's output is not finite, unless the encoder has the
// option KeepNonFinite: its weights have overflowed.
var ErrNonFinite = errors.New("the model's output is not finite")
