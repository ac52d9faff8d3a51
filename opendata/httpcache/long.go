package httpcache

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"sluice/door"
)

// Parts iterates over the body of an answer that is too long to hold. An error ends it. It
// must stop soon after ctx ends.
type Parts func(ctx context.Context) iter.Seq2[[]byte, error]

// Bounds of long answers. Each part is made within patience and read within partTime; a
// client that has not read one for as long as slow loses its seat to the next one that
// comes.
const (
	maxLong          = 32 // at a time
	maxLongPerClient = 8  // of one client, where addresses tell clients apart
	partTime         = time.Minute
	slow             = 2 * time.Second
)

// Share bounds how many long answers one address may have at a time.
func (c *Cache) Share() { c.seats.per = maxLongPerClient }

// long sends an answer in parts. Between two of them it holds neither a slot nor anything
// of the store. If the answer cannot be completed the connection is reset, so that no
// client takes it for a whole one.
func (c *Cache) long(w http.ResponseWriter, r *http.Request, parts Parts, zip bool) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	control := http.NewResponseController(w)
	seat := c.seats.take(ctx, r.RemoteAddr, func() { _ = control.SetWriteDeadline(time.Now()) })
	if seat == nil {
		w.Header().Del("Content-Encoding")
		w.Header().Del("Content-Disposition")
		w.Header().Set("Retry-After", "10")
		Problem(w, r, http.StatusServiceUnavailable, "busy", "Too many long files are on their way",
			"wait as long as Retry-After says, or ask for less with from, to, cell, measure or limit")
		return
	}
	defer c.seats.leave(seat)
	door.Patient(r, partTime)
	out := &sender{w: w, control: control, seat: seat}
	if zip {
		out.zip = new(segments)
	}
	if err := c.send(ctx, cancel, out, parts); err != nil {
		door.Abort(w)
	}
}

// send makes and sends one part after the other.
func (c *Cache) send(ctx context.Context, cancel func(), out *sender, parts Parts) error {
	if err := c.slot(ctx); err != nil {
		return err
	}
	held := true
	defer func() {
		if held {
			<-c.slots
		}
	}()
	making := time.AfterFunc(patience, cancel)
	defer making.Stop()
	for part, err := range parts(ctx) {
		if err != nil {
			return err
		}
		making.Stop()
		if out.zip != nil {
			part = out.zip.part(part)
		}
		<-c.slots
		held = false
		if err := out.write(part); err != nil {
			return err
		}
		if err := c.slot(ctx); err != nil {
			return err
		}
		held = true
		making.Reset(patience)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if out.zip != nil {
		return out.write(out.zip.end())
	}
	return nil
}

// slot waits for a slot in which to make something; ErrSlow where none came in time.
func (c *Cache) slot(ctx context.Context) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return ErrSlow
		}
		return ctx.Err()
	}
}

// sender writes to one client.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	zip     *segments // nil where the client does not want it
	seat    *seat
}

// write gives each part its own deadline: the server's is for short answers.
func (s *sender) write(p []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(partTime)) // a recorder of a test has none
	s.seat.since(time.Now())
	defer s.seat.since(time.Time{})
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	if s.seat.lost() {
		return context.Canceled
	}
	return s.control.Flush()
}
