package studio

import "net/http"

// errVotedStays: the council has voted a decision, so that its end is for the council too.
var errVotedStays = &fault{http.StatusConflict, "draft.voted-stays"}

// discard removes the file of a decision that nobody has voted: one with mistakes stands in the way
// of every motion.
func (s *Server) discard(file string) error {
	raw, _, err := s.desk.Read(file)
	if err != nil {
		return err
	}
	inForce, err := s.desk.inForce()
	if err != nil {
		return err
	}
	if inForce != nil && inForce.Decision(headOf(raw).id) != nil {
		return errVotedStays
	}
	return s.drafts.discard(file)
}

// discard removes a file and what is remembered of it, unless somebody else has written it since.
func (d *drafts) discard(file string) error {
	_, err := d.with(file, func(h *history) error {
		if err := d.desk.Remove(file, h.sum); err != nil {
			return err
		}
		delete(d.of, file)
		return nil
	})
	return err
}

// Remove removes a file, if its sum still is what it was when it was read; otherwise it is errChanged.
func (d *desk) Remove(name, was string) error {
	d.saving.Lock()
	defer d.saving.Unlock()
	_, sum, err := d.Read(name)
	switch {
	case err != nil:
		return err
	case sum != was:
		return errChanged
	}
	return d.root.Remove(name)
}
