// Package nats runs three real nats-servers for tests, as configs/nats.conf sets them up: the same file, with
// addresses on loopback, certificates and keys made for the occasion. Servers can be killed, frozen, stopped, started,
// and cut off from one another.
//
//	servers := nats.Start(t)
//	conn, err := engine.Dial(ctx, engine.Config{URLs: servers.URLs(), CA: servers.CA, Credentials: servers.Data})
//	servers.Leader("BOOKS").Kill()
package nats

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"sluice/test/harness"
)

// Servers are three servers that are one cluster.
type Servers struct {
	t     *testing.T
	Nodes [3]*Node
	CA    string // file of the certificate that signed theirs

	// Files with the seeds of who may use the account for data, the one for keys, and the servers' own.
	Data, Keys, System string

	between [3][3]*harness.Cable // the path from one to another
	routes  [3]string            // where they end
}

// Node is one of them.
type Node struct {
	t       *testing.T
	Name    string
	Addr    string // for clients
	Monitor string // http://HOST:PORT
	Store   string // directory
	Conf    string // file
	P       *harness.Process
}

// Edit changes a server's configuration, of the one with the number n, before it starts.
type Edit func(n int, conf string) string

// Instead is an Edit that puts one text in the place of another, in all three.
func Instead(old, new string) Edit {
	return func(_ int, conf string) string {
		if !strings.Contains(conf, old) {
			panic("configs/nats.conf does not say " + old)
		}
		return strings.Replace(conf, old, new, 1)
	}
}

// Start starts three servers and waits until they are one cluster. Without nats-server the test is skipped.
func Start(t *testing.T, edits ...Edit) *Servers {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts servers")
	}
	harness.Need(t, "nats-server")
	dir := t.TempDir()
	s := &Servers{t: t, CA: filepath.Join(dir, "ca.crt")}
	certificates(t, dir)
	var users [3]string
	for i, name := range []string{"data", "keys", "system"} {
		users[i] = user(t, filepath.Join(dir, name+".nk"))
	}
	s.Data, s.Keys, s.System = filepath.Join(dir, "data.nk"), filepath.Join(dir, "keys.nk"),
		filepath.Join(dir, "system.nk")
	for i := range s.Nodes {
		s.routes[i] = harness.FreeAddr(t)
	}
	for i := range s.Nodes {
		for j := range s.Nodes {
			if i != j {
				s.between[i][j] = harness.NewCable(t, s.routes[j])
			}
		}
	}
	for i := range s.Nodes {
		n := &Node{t: t, Name: fmt.Sprintf("nats-%d", i+1), Addr: harness.FreeAddr(t)}
		monitor := harness.FreeAddr(t)
		n.Monitor, n.Store = "http://"+monitor, filepath.Join(dir, n.Name)
		n.Conf = filepath.Join(dir, n.Name+".conf")
		conf := s.configuration(i, n, dir, monitor, users)
		for _, edit := range edits {
			conf = edit(i, conf)
		}
		harness.Write(t, n.Conf, conf)
		s.Nodes[i] = n
		n.Start()
	}
	s.Whole()
	return s
}

// configuration is configs/nats.conf for one of the three.
func (s *Servers) configuration(i int, n *Node, dir, monitor string, users [3]string) string {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(root(s.t), "configs", "nats.conf"))
	if err != nil {
		s.t.Fatal(err)
	}
	others := []string{}
	for j, cable := range s.between[i] {
		if j != i {
			others = append(others, "nats-route://"+cable.Addr())
		}
	}
	return strings.NewReplacer(
		"SERVER: nats-1", "SERVER: "+n.Name,
		`ZONE: "zone:cellar"`, fmt.Sprintf(`ZONE: "zone:%d"`, i+1),
		"listen: 0.0.0.0:4222", "listen: "+n.Addr, `"nats-1:4222"`, fmt.Sprintf("%q", n.Addr),
		"http: 127.0.0.1:8222", "http: "+monitor,
		"/var/lib/nats", n.Store,
		"max_file_store: 20GiB", "max_file_store: 1GiB",
		// Clients learn no other address than theirs; servers, that tell each other of one another, none where
		// somebody listens: or they would go round the cables.
		"listen: 0.0.0.0:6222", "listen: "+s.routes[i]+"\n  no_advertise: true", `"nats-1:6222"`, `"127.0.0.1:9"`,
		"nats-route://nats-1:6222, nats-route://nats-2:6222, nats-route://nats-3:6222", strings.Join(others, ", "),
		"/etc/nats/", dir+"/",
		"UDATA", users[0], "UKEYS", users[1], "USYS", users[2],
	).Replace(string(raw))
}

// root is the directory of the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if up := filepath.Dir(dir); up == dir {
			t.Fatal("no go.mod above")
		} else {
			dir = up
		}
	}
}

// user writes a new seed into a file and returns its public half.
func user(t *testing.T, file string) string {
	t.Helper()
	pair, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	seed, err := pair.Seed()
	if err != nil {
		t.Fatal(err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteSecret(t, file, string(seed)+"\n")
	return public
}

// URLs are the addresses of the three.
func (s *Servers) URLs() (urls []string) {
	for _, n := range s.Nodes {
		urls = append(urls, "tls://"+n.Addr)
	}
	return urls
}

// Whole waits until all three say that they are well.
func (s *Servers) Whole() {
	s.t.Helper()
	for _, n := range s.Nodes {
		n.Healthy()
	}
}

// Leader is the server that leads a stream, when there is one.
func (s *Servers) Leader(stream string) *Node {
	s.t.Helper()
	var leader *Node
	harness.Await(s.t, 30*time.Second, stream+" to have a leader", func() bool {
		for _, n := range s.Nodes {
			if n.leads(stream) {
				leader = n
			}
		}
		return leader != nil
	})
	return leader
}

// Alone cuts one server off from the others, in both directions: what is sent is neither carried nor refused.
func (s *Servers) Alone(n *Node, on bool) {
	s.t.Helper()
	s.byCable()
	for i := range s.Nodes {
		for j, cable := range s.between[i] {
			if i == j || s.Nodes[i] != n && s.Nodes[j] != n {
				continue
			}
			if cable.Hold(on); !on {
				cable.Cut() // what was held is old
			}
		}
	}
}

// byCable fails the test where a server has gone round a cable: to cut that would cut nothing.
func (s *Servers) byCable() {
	s.t.Helper()
	for _, n := range s.Nodes {
		var is struct {
			Routes []struct {
				Solicited bool `json:"did_solicit"`
				IP        string
				Port      int
			}
		}
		if !n.ask("/routez", &is) {
			continue // it is not there, or held up
		}
		for _, r := range is.Routes {
			if to := fmt.Sprintf("%s:%d", r.IP, r.Port); r.Solicited && slices.Contains(s.routes[:], to) {
				s.t.Fatalf("%s has found another way to a server, %s", n.Name, to)
			}
		}
	}
}

// Last is the number of the last message of a stream, as far as any server knows; 0 where none answers.
func (s *Servers) Last(stream string) (last uint64) {
	for _, n := range s.Nodes {
		if is, ok := n.stream(stream); ok {
			last = max(last, is.State.Last)
		}
	}
	return last
}

// leads reports what the server itself believes.
func (n *Node) leads(stream string) bool {
	is, ok := n.stream(stream)
	return ok && is.Cluster.Leader == n.Name
}

// detail is what a server knows of a stream.
type detail struct {
	Name    string
	Cluster struct{ Leader string }
	State   struct {
		Last uint64 `json:"last_seq"`
	}
}

func (n *Node) stream(name string) (detail, bool) {
	var is struct {
		Accounts []struct {
			Streams []detail `json:"stream_detail"`
		} `json:"account_details"`
	}
	if !n.ask("/jsz?streams=true&accounts=true", &is) {
		return detail{}, false
	}
	for _, a := range is.Accounts {
		for _, s := range a.Streams {
			if s.Name == name {
				return s, true
			}
		}
	}
	return detail{}, false
}

// ask reads what the server says of itself.
func (n *Node) ask(path string, answer any) bool {
	client := http.Client{Timeout: 2 * time.Second}
	resp, err := client.Get(n.Monitor + path)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK && json.NewDecoder(resp.Body).Decode(answer) == nil
}

// Healthy waits until the server says that it is well: it has caught up with the others.
func (n *Node) Healthy() {
	n.t.Helper()
	harness.Await(n.t, time.Minute, n.Name+" to be well", func() bool {
		if n.P.Ended() {
			n.t.Fatalf("%s has ended:\n%s", n.Name, harness.Tail(n.P.Err.String()))
		}
		var is struct{ Status string }
		return n.ask("/healthz", &is) && is.Status == "ok"
	})
}

// Start starts the server, again after it was ended.
func (n *Node) Start() {
	n.t.Helper()
	n.P = harness.StartWith(n.t, []string{"GOGC=400"}, "nats-server", "-c", n.Conf) // a tenth less work
}

// Kill ends the server as SIGKILL does.
func (n *Node) Kill() { n.P.Kill() }

// Stop asks the server to end, and waits until it has.
func (n *Node) Stop() { n.P.Stop(time.Minute) }

// Freeze has the server stand still, and go on.
func (n *Node) Freeze(on bool) {
	n.t.Helper()
	signal := syscall.SIGCONT
	if on {
		signal = syscall.SIGSTOP
	}
	if err := n.P.Cmd.Process.Signal(signal); err != nil {
		n.t.Fatal(err)
	}
}
