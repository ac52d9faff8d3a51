package opendata

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/test/raced"
)

// TestSlowFiles: as many slow readers of long files as there may be keep neither the next
// one out nor anything else waiting.
func TestSlowFiles(t *testing.T) {
	raced.Also(t)
	_, base := openYear(t, 50, 3000, time.Time{})
	for range 32 {
		c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://")) //nolint:noctx // it is on loopback
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", allYear)
		if _, err := io.ReadFull(c, make([]byte, 2000)); err != nil { // its file is on its way
			t.Fatal(err)
		}
	}
	for range 3 {
		begun := time.Now()
		resp, body := fetch(t, base+"/api/v1/streams/steps/observations?limit=10")
		if resp.StatusCode != http.StatusOK || time.Since(begun) > 5*time.Second {
			t.Errorf("a page is %d after %s: %.100s", resp.StatusCode, time.Since(begun), body)
		}
	}
	if resp, body := fetch(t, base+allYear+"&format=csv"); resp.StatusCode != http.StatusOK ||
		csvRows(bytes.NewReader(body)) != 150_000 {
		t.Errorf("beside slow readers a long file is %d with %d bytes", resp.StatusCode, len(body))
	}
}

// TestPatientReader: who reads slowly, but reads, gets all, long after a short answer's
// time is over.
func TestPatientReader(t *testing.T) {
	raced.Also(t)
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	_, base := openYear(t, 30, 3000, time.Time{})
	plain := &http.Transport{DisableCompression: true} // all of a compressed file would be on its way at once
	defer plain.CloseIdleConnections()
	resp, err := (&http.Client{Transport: plain}).Get(base + allYear) //nolint:noctx // it is over with the test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReaderSize(resp.Body, 64<<10)
	var all bytes.Buffer
	for begun := time.Now(); time.Since(begun) < 35*time.Second; time.Sleep(100 * time.Millisecond) {
		if _, err := io.CopyN(&all, in, 16<<10); err != nil {
			t.Fatalf("after %s and %d bytes: %v", time.Since(begun), all.Len(), err)
		}
	}
	if _, err := io.Copy(&all, in); err != nil || jsonRows(&all) != 90_000 {
		t.Errorf("it did not get all: %v", err)
	}
}
