package httpcache

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestGzipped(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip; q=0.0": false,
		"gzip;q=x": false, "*": true, "*;q=0": false,
		"gzip;q=0, *": false, "br": false, "deflate, x-gzip": true, "gzipped": false, "identity": false,
	} {
		if got := gzipped(accept); got != want {
			t.Errorf("Accept-Encoding %q is %v; want %v", accept, got, want)
		}
	}
}

func failed(w http.ResponseWriter, r *http.Request, err error) {
	Problem(w, r, http.StatusServiceUnavailable, "unavailable", "no", err.Error())
}

func get(ctx context.Context, h http.HandlerFunc, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest(http.MethodGet, path, nil).WithContext(ctx))
	return w
}

// TestKept asks the same a hundred times at once: it is made once, kept while fresh,
// and made anew after that; who asks first may go away.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int32
		h := New().Handle(func(r *http.Request) (*Reply, error) {
			n := made.Add(1)
			time.Sleep(100 * time.Millisecond)
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			return &Reply{Type: "text/plain", Body: fmt.Appendf(nil, "%s %d", r.URL.Path, n)}, nil
		}, failed)
		first, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		ask := func(ctx context.Context) {
			wg.Go(func() {
				if w := get(ctx, h, "/a"); w.Code != http.StatusOK || w.Body.String() != "/a 1" {
					t.Errorf("it is %d %s", w.Code, w.Body)
				}
			})
		}
		ask(first)
		synctest.Wait()
		for range 99 {
			ask(t.Context())
		}
		synctest.Wait()
		leave()
		wg.Wait()
		time.Sleep(100 * time.Millisecond)
		if w := get(t.Context(), h, "/a"); w.Body.String() != "/a 1" {
			t.Errorf("while it is fresh it is made again: %s", w.Body)
		}
		time.Sleep(fresh)
		if w := get(t.Context(), h, "/a"); w.Body.String() != "/a 2" {
			t.Errorf("later it is %s", w.Body)
		}
		if w := get(t.Context(), h, "/b"); w.Body.String() != "/b 3" {
			t.Errorf("another question has the answer %s", w.Body)
		}
	})
}

// TestKeptByHeaders tells answers apart by what they may depend on.
func TestKeptByHeaders(t *testing.T) {
	h := New().Handle(func(r *http.Request) (*Reply, error) {
		return &Reply{Type: "text/plain",
			Body: []byte(r.Header.Get("Accept") + r.Header.Get("Accept-Language") + r.URL.RawQuery)}, nil
	}, failed)
	for _, x := range []struct{ accept, lang, query string }{{"text/csv", "", ""}, {"", "text/csv", "a"},
		{"", "ca", ""}, {"", "", "ca"}, {"", "", ""}} {
		r := httptest.NewRequest(http.MethodGet, "/?"+x.query, nil)
		r.Header.Set("Accept", x.accept)
		r.Header.Set("Accept-Language", x.lang)
		w := httptest.NewRecorder()
		h(w, r)
		if got := w.Body.String(); got != x.accept+x.lang+x.query {
			t.Errorf("%+v has the answer %q", x, got)
		}
	}
}

// TestKeptIsBounded asks for more than may be kept, and for what fails.
func TestKeptIsBounded(t *testing.T) {
	c := New()
	big := strings.Repeat("x", 1<<20)
	h := c.Handle(func(r *http.Request) (*Reply, error) {
		if r.URL.Path == "/bad" {
			return nil, errors.New("bad")
		}
		return &Reply{Type: "text/plain", Body: []byte(big + r.URL.RawQuery)}, nil
	}, failed)
	for n := range 40 {
		if w := get(t.Context(), h, fmt.Sprintf("/?%d", n)); w.Code != 200 || w.Body.Len() < len(big) {
			t.Fatalf("answer %d is %d with %d bytes", n, w.Code, w.Body.Len())
		}
		if c.bytes > maxBytes {
			t.Fatalf("%d bytes are kept", c.bytes)
		}
	}
	sum := 0
	for _, a := range c.kept {
		sum += len(a.body)
	}
	if sum != c.bytes || sum == 0 {
		t.Errorf("%d bytes are kept, %d are counted", sum, c.bytes)
	}
	before := len(c.kept)
	if w := get(t.Context(), h, "/bad"); w.Code != 503 || len(c.kept) != before {
		t.Errorf("what fails is %d, and %d are kept", w.Code, len(c.kept))
	}
}

// TestPatience gives up on what takes too long, also while it waits for its turn.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New().Handle(func(r *http.Request) (*Reply, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, func(w http.ResponseWriter, r *http.Request, err error) {
			if !errors.Is(err, ErrSlow) {
				t.Errorf("the log says %v", err)
			}
			failed(w, r, err)
		})
		begun := time.Now()
		var wg, joined sync.WaitGroup
		for n := range making + 5 {
			waits := func() {
				if w := get(t.Context(), h, fmt.Sprintf("/%d", n)); w.Code != 503 {
					t.Errorf("it is %d", w.Code)
				}
			}
			wg.Go(waits)
			joined.Go(func() { time.Sleep(patience / 2); waits() }) // for what others wait for
		}
		wg.Wait()
		if took := time.Since(begun); took > patience+time.Second {
			t.Errorf("it took %s", took)
		}
		joined.Wait()
		time.Sleep(longest) // what nobody waits for ends, too, or this test would not
	})
}

// TestASlowStoreIsRead: an answer that nobody could wait for is there for who asks again and waits as
// long, whether it is still being made then or has been; but not for ever.
func TestASlowStoreIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int32
		h := New().Handle(func(r *http.Request) (*Reply, error) {
			n := begun.Add(1)
			takes, err := time.ParseDuration(r.URL.Path[1:])
			if err != nil {
				return nil, err
			}
			select {
			case <-time.After(takes):
				return &Reply{Type: "text/plain", Body: fmt.Append(nil, n)}, nil
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}, failed)
		for _, x := range []struct {
			path  string
			again time.Duration // after it was refused
			code  int
			begun int32
			waits time.Duration
		}{
			{"/15s", time.Second, 200, 1, 4 * time.Second}, {"/16s", again, 200, 2, patience},
			{"/12s", again + 3*time.Second, 503, 2, patience}, {"/29s", again, 200, 2, patience},
			{"/31s", patience + time.Second, 503, 1, 9 * time.Second},
		} {
			begun.Store(0)
			if w := get(t.Context(), h, x.path); w.Code != 503 {
				t.Errorf("%s is %d before it is made", x.path, w.Code)
			}
			time.Sleep(x.again)
			asked := time.Now()
			w := get(t.Context(), h, x.path)
			if w.Code != x.code || begun.Load() != x.begun || w.Code == 200 && w.Body.String() != "1" ||
				time.Since(asked) != x.waits {
				t.Errorf("%s is %d %s later, after %s: %s of %d", x.path, w.Code, x.again, time.Since(asked), w.Body,
					begun.Load())
			}
			time.Sleep(longest)
		}
	})
}

// TestAStoreThatIsSlowNoLonger: nobody has an answer that others could not wait for where another is
// there in time, or where it can no longer be made.
func TestAStoreThatIsSlowNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		h := New().Handle(func(*http.Request) (*Reply, error) {
			switch made++; made {
			case 1:
				time.Sleep(patience + 2*time.Second)
			case 3:
				return nil, errors.New("the store is away")
			}
			return &Reply{Type: "text/plain", Body: fmt.Append(nil, made)}, nil
		}, failed)
		for n, want := range []string{"503", "2", "503", "4"} {
			w := get(t.Context(), h, "/a")
			if got := w.Body.String(); got != want && fmt.Sprint(w.Code) != want {
				t.Errorf("question %d is %d %s; want %s", n+1, w.Code, got, want)
			}
			time.Sleep(2 * stale)
		}
	})
}

// TestABugIsNoEnd: who makes an answer has nobody's connection to end with.
func TestABugIsNoEnd(t *testing.T) {
	h := New().Handle(func(*http.Request) (*Reply, error) { panic("in it") }, failed)
	for range 2 {
		if w := get(t.Context(), h, "/a"); w.Code != 503 {
			t.Errorf("it is %d", w.Code)
		}
	}
}

// TestGoodFor: what is dear to make is made less often, and nothing is old.
func TestGoodFor(t *testing.T) {
	const ms = time.Millisecond
	for took, want := range map[time.Duration]time.Duration{0: fresh, 80 * ms: fresh, 100 * ms: 300 * ms,
		600 * ms: 1800 * ms, time.Second: stale, patience: stale} {
		if got := goodFor(took); got != want {
			t.Errorf("what takes %s is good for %s; want %s", took, got, want)
		}
	}
}

// TestNobodyWaits: while an answer is made again others have the one before, unless it is stale;
// where it cannot be made they have no more of it.
func TestNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int32
		h := New().Handle(func(*http.Request) (*Reply, error) {
			n := made.Add(1)
			time.Sleep(100 * time.Millisecond)
			if n == 3 {
				time.Sleep(stale)
			}
			if n > 4 {
				return nil, errors.New("the store is away")
			}
			return &Reply{Type: "text/plain", Body: fmt.Append(nil, n)}, nil
		}, failed)
		says := func(want string) {
			t.Helper()
			if w := get(t.Context(), h, "/a"); w.Body.String() != want {
				t.Errorf("it is %s; want %s", w.Body, want)
			}
		}
		says("1")
		for _, want := range []string{"2", "3"} {
			time.Sleep(2 * fresh)
			var first sync.WaitGroup
			first.Go(func() { says(want) })
			synctest.Wait()
			before := time.Now()
			if says(string(want[0] - 1)); time.Now() != before {
				t.Errorf("who is second waits %s", time.Since(before))
			}
			if want == "3" {
				time.Sleep(stale - 2*fresh)
				says("3")
			}
			first.Wait()
		}
		time.Sleep(stale)
		says("4")
		time.Sleep(2 * fresh)
		for range 2 {
			if w := get(t.Context(), h, "/a"); w.Code != http.StatusServiceUnavailable {
				t.Errorf("what cannot be made is %d %s", w.Code, w.Body)
			}
		}
	})
}
