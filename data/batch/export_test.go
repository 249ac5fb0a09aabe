package batch

// ReadWindows reads whole the windows of the first epoch that some steps reach, as a stream does on its way,
// without putting them into batches.
func ReadWindows(o StreamOptions, steps int) error {
	s, err := newStream(o)
	if err != nil {
		return err
	}
	for number := range s.windows {
		if s.begin(s.tour(0), number) >= steps*o.Size {
			break
		}
		if _, err := s.read(number); err != nil {
			return err
		}
	}
	return nil
}
