package websocket

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// asked is the head of a request, with headers changed: "Name: " takes one away.
func asked(changes ...string) []byte {
	lines := []string{"GET /mqtt HTTP/1.1", "Host: gate.example:8084", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: mqtt"}
	for _, c := range changes {
		name, _, _ := strings.Cut(c, " ")
		found := false
		for n := range lines {
			if strings.HasPrefix(lines[n], name) {
				lines[n], found = c, true
			}
		}
		if !found {
			lines = append(lines, c)
		}
	}
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// TestHandshakes: who may come in, and what the others are told.
func TestHandshakes(t *testing.T) {
	const no = "Sec-WebSocket-"
	for name, x := range map[string]struct {
		head  []byte
		local bool
		want  int
	}{
		"the RFC's own": {asked(), false, 101},
		"several words": {asked("Connection: keep-alive, Upgrade", "Upgrade: WebSocket",
			no+"Protocol: mqttv3.1, mqtt"), false, 101},
		"an extension is offered":     {asked(no + "Extensions: permessage-deflate"), false, 101},
		"any path":                    {asked("GET / HTTP/1.1"), false, 101},
		"its own origin":              {asked("Origin: https://gate.example:8084"), false, 101},
		"its own origin, in capitals": {asked("Origin: http://GATE.example:8084"), false, 101},
		"a page of another site":      {asked("Origin: https://evil.example"), false, 403},
		"another port":                {asked("Origin: https://gate.example:8080"), false, 403},
		"a page without a site":       {asked("Origin: null"), false, 403},
		"an origin that is none":      {asked("Origin: http://%zz"), false, 403},
		"two origins": {asked("Origin: http://gate.example:8084", "X: y\r\nOrigin: http://evil.example"), false,
			403},
		"a name for this machine":    {asked("Origin: http://gate.example:8084"), true, 403},
		"the same without an origin": {asked(), true, 403},
		"a name that begins alike":   {asked("Host: localhost.evil.example:8084"), true, 403},
		"localhost":                  {asked("Host: localhost:8084"), true, 101},
		"an address":                 {asked("Host: 127.0.0.1:8084", "Origin: http://127.0.0.1:8084"), true, 101},
		"an address of IPv6":         {asked("Host: [::1]:8084"), true, 101},
		"no port":                    {asked("Host: [::1]"), true, 101},
		"another address":            {asked("Host: 192.0.2.1:8084"), true, 403},
		"an ordinary request":        {asked("Upgrade: ", "Connection: close"), false, 426},
		"no Upgrade":                 {asked("Upgrade: h2c"), false, 426},
		"no Connection":              {asked("Connection: close"), false, 426},
		"another version":            {asked(no + "Version: 8"), false, 426},
		"a short key":                {asked(no + "Key: c2hvcnQ="), false, 400},
		"a key that is none":         {asked(no + "Key: %%"), false, 400},
		"no subprotocol":             {asked(no + "Protocol: "), false, 400},
		"another subprotocol":        {asked(no + "Protocol: mqttv3.1, chat"), false, 400},
		"POST":                       {bytes.Replace(asked(), []byte("GET"), []byte("POST"), 1), false, 400},
		"HTTP/1.0":                   {asked("GET /mqtt HTTP/1.0"), false, 400},
		"no host":                    {asked("Host: "), false, 400},
		"a body":                     {asked("Content-Length: 5"), false, 400},
		"a body in chunks":           {asked("Transfer-Encoding: chunked"), false, 400},
		"no HTTP":                    {[]byte("\x10\x0c\x00\x04MQTT\r\n\r\n"), false, 400},
	} {
		answer, ok := Upgrade(x.head, x.local)
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if ok != (x.want == 101) || r.StatusCode != x.want {
			t.Errorf("%s: %v, %d; want %d", name, ok, r.StatusCode, x.want)
		}
		if bytes.Contains(answer, []byte("evil")) || !ok && !r.Close {
			t.Errorf("%s: the answer is %q", name, answer)
		}
		if ok && (r.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" ||
			r.Header.Get("Sec-WebSocket-Protocol") != "mqtt" || r.Header.Get("Sec-WebSocket-Extensions") != "") {
			t.Errorf("%s: the answer is %q", name, answer)
		}
	}
}

// FuzzHandshake gives a stranger's head of a request: the answer is one of HTTP and quotes
// nothing, and who comes in has named no other origin.
func FuzzHandshake(f *testing.F) {
	f.Add(asked(), true)
	f.Add(asked("Origin: http://evil.example"), false)
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), false)
	f.Fuzz(func(t *testing.T, head []byte, local bool) {
		answer, ok := Upgrade(head, local)
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil)
		if err != nil || ok != (r.StatusCode == 101) || len(answer) > 512 {
			t.Fatalf("%v: %q", err, answer)
		}
		if !ok {
			return
		}
		asked, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatal(err)
		}
		for _, origin := range asked.Header["Origin"] {
			if !strings.HasSuffix(strings.ToLower(origin), "//"+strings.ToLower(asked.Host)) &&
				!strings.Contains(strings.ToLower(origin), "//"+strings.ToLower(asked.Host)+"/") {
				t.Errorf("a page of %q came in by %q", origin, asked.Host)
			}
		}
	})
}
