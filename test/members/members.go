// Package members makes what an operator makes for the machines of a cluster: a key for each, a roster that is signed,
// and each machine's directory of credentials.
//
//	city := members.Found(t, servers, "front-1: front", "hall: releaser")
//	city.Config("hall") // as gateway.yaml's section cluster says it
package members

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/gateway/cluster/member"
	"sluice/gateway/cluster/roster"
	"sluice/policy/ballot"
	"sluice/test/harness"
	"sluice/test/nats"
)

// City is a roster and its members' directories.
type City struct {
	t       *testing.T
	servers *nats.Servers
	Dir     string // members' directories, by name
	Roster  string // file
	roles   map[string][]roster.Role
}

// Found makes a city of members such as front-1: front, worker.
func Found(t *testing.T, s *nats.Servers, list ...string) *City {
	t.Helper()
	dir := t.TempDir()
	c := &City{t, s, dir, filepath.Join(dir, "roster.yaml"), map[string][]roster.Role{}}
	operator, signer, err := ballot.Generate("operator")
	if err != nil {
		t.Fatal(err)
	}
	text := "version: 1\nmembers:\n"
	for _, one := range list {
		name, roles, _ := strings.Cut(one, ": ")
		private, line, err := roster.New(name)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("  - {name: %s, key: %s, roles: [%s]}\n", name, strings.TrimSpace(line), roles)
		for _, role := range strings.Split(roles, ", ") {
			c.roles[name] = append(c.roles[name], roster.Role(role))
		}
		harness.WriteSecret(t, c.File(name, "member.key"), string(private))
		harness.WriteSecret(t, c.File(name, "signers"), "operator "+signer+"\n")
		c.copy(s.Data, c.File(name, "data.nk"))
		c.copy(s.Keys, c.File(name, "keys.nk"))
		c.copy(s.System, c.File(name, "system.nk"))
	}
	sig, err := ballot.Sign(operator, []byte(text), roster.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteSecret(t, c.Roster, text)
	harness.WriteSecret(t, c.Roster+".sig", string(sig.File()))
	return c
}

// File is a file of a member's credentials.
func (c *City) File(name, file string) string { return filepath.Join(c.Dir, name, file) }

// Config is a member's section cluster, with its roles.
func (c *City) Config(name string) *member.Config {
	return &member.Config{NATS: c.servers.URLs(), Credentials: filepath.Join(c.Dir, name), CA: c.servers.CA,
		Name: name, Partitions: 8, Roles: c.roles[name], Roster: c.Roster}
}

func (c *City) copy(from, to string) {
	c.t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		c.t.Fatal(err)
	}
	harness.WriteSecret(c.t, to, string(raw))
}
