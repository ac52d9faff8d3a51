package studio

import (
	"context"
	"errors"
	"net/http"
	"time"

	"sluice/policy/papers/pdf"
)

// printing bounds how long a browser has for a paper: what it takes longer for, the answer would not
// have time to be sent.
const printing = 20 * time.Second

// printed is a page as PDF. One is printed at a time.
func (s *Server) printed(r *http.Request, page []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(r.Context(), printing)
	defer cancel()
	select {
	case s.press <- struct{}{}:
		defer func() { <-s.press }()
	case <-ctx.Done():
		return nil, &fault{http.StatusServiceUnavailable, "vote.unprinted"}
	}
	raw, err := pdf.Print(ctx, page)
	var failed *pdf.Failed
	if errors.As(err, &failed) || errors.Is(err, pdf.ErrNoBrowser) {
		return nil, &fault{http.StatusServiceUnavailable, "vote.unprinted"}
	}
	return raw, err
}
