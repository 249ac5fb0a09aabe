// Package sweeps is the sweep language: what a sweep file and a pretraining
// recipe may say, and what they mean.
//
// A file is read strictly. Parse either returns a Spec in which every value has
// the type and range of its key, or Faults: all that is wrong at once, each
// fault naming file, key, value, what is allowed and the nearest valid key.
// Nothing is guessed and nothing is carried on with a warning.
//
// Expand turns a Spec into the runs it names, in a stable order: axes vary in the order of the file, the last one
// fastest. RunID names a run by what decides its weights, so that a finished run is found again whatever file, or
// spelling of a path, asks for it.
package sweeps
