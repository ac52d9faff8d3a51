package member

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/roster"
)

// Config says which cluster a machine is in, and as what.
type Config struct {
	// NATS are the addresses of the servers, tls://HOST:PORT each.
	NATS []string `yaml:"nats"`
	// Credentials is a directory with the files by which this machine is known: see the package.
	Credentials string `yaml:"credentials"`
	// CA are certificates, PEM, that the servers' are signed by; the machine's own without it.
	CA string `yaml:"ca"`
	// Name is the member's in the roster.
	Name string `yaml:"name"`
	// Partitions is into how many parts the city's units fall, the same for all machines and for ever; 32 by default.
	Partitions int `yaml:"partitions"`
	// Roles are what this machine does, of those that the roster has for it.
	Roles []roster.Role `yaml:"roles"`
	// Roster is the file of the roster; its signature is in FILE.sig.
	Roster string `yaml:"roster"`
}

const usualPartitions = 32

// SetDefaults fills in what is left open.
func (c *Config) SetDefaults() {
	if c.Partitions == 0 {
		c.Partitions = usualPartitions
	}
}

// Check refuses what cannot run, before a file is read. Defaults must have been set.
func (c *Config) Check() error {
	reach := engine.Config{URLs: c.NATS}
	if err := reach.Check(); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	for _, r := range []struct {
		broken bool
		text   string
	}{
		{c.Credentials == "", "credentials is missing: the directory with data.nk, keys.nk, member.key and signers"},
		{c.Name == "", "name is missing: this machine's in the roster, e.g. front-1"},
		{c.Partitions < 1 || c.Partitions > keys.MostPartitions, "partitions is between 1 and 256, the same on all " +
			"machines"},
		{len(c.Roles) == 0, "roles is missing: [front], [worker], [releaser], or several of them"},
		{slices.ContainsFunc(c.Roles, func(r roster.Role) bool {
			return !slices.Contains([]roster.Role{roster.Front, roster.Worker, roster.Releaser}, r)
		}), "roles are front, worker and releaser"},
		{c.Roster == "", "roster is missing: the file of the roster, with its signature beside it"},
	} {
		if r.broken {
			return errors.New(r.text)
		}
	}
	return nil
}

// May reports whether this machine does something.
func (c *Config) May(role roster.Role) bool { return slices.Contains(c.Roles, role) }

func (c *Config) file(name string) string { return filepath.Join(c.Credentials, name) }

// reach is how one account of the servers is reached.
func (c *Config) reach(credentials string) engine.Config {
	return engine.Config{URLs: c.NATS, Credentials: c.file(credentials), CA: c.CA, Name: c.Name}
}

// in refuses a roster in which this member does not have its roles.
func (c *Config) in(r *roster.Roster) error {
	m, known := r.Member(c.Name)
	if !known {
		return fmt.Errorf("the roster has no member %q; add it, and sign the roster again", c.Name)
	}
	var lacks []string
	for _, role := range c.Roles {
		if !m.May(role) {
			lacks = append(lacks, string(role))
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("the roster does not have %s for %s: change roles here, or there, and sign that again",
			strings.Join(lacks, ", "), c.Name)
	}
	return nil
}
