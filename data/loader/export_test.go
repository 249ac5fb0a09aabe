package loader

// Examples returns the number of examples of the data.
func (l *Loader) Examples() int { return l.source.Len() }
