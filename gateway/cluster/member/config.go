package member

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/gateway/cluster/engine"
	"sluice/gateway/cluster/keys"
	"sluice/gateway/cluster/roster"
	"sluice/internal/yamldoc"
	"sluice/perm"
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

// roles are what a machine can do.
var roles = []roster.Role{roster.Front, roster.Worker, roster.Releaser}

// SetDefaults fills in what is left open.
func (c *Config) SetDefaults() {
	if c.Partitions == 0 {
		c.Partitions = usualPartitions
	}
}

// Paths are all file names in it, for who makes them absolute.
func (c *Config) Paths() []*string { return []*string{&c.Credentials, &c.CA, &c.Roster} }

// rule is something that no configuration may break: what is said when it does, and how to mend it.
type rule struct {
	broken       func(*Config) bool
	message, fix string
}

var rules = []rule{
	{
		func(c *Config) bool { return len(c.NATS) == 0 },
		"nats is missing: ", `the addresses of the three servers, ["tls://nats-1:4222", "tls://nats-2:4222", ...]`,
	},
	{
		func(c *Config) bool { return slices.ContainsFunc(c.NATS, unfit) },
		"nats: an address is not tls://HOST:PORT: ", "what goes to the servers is encrypted, and who this machine is " +
			"says credentials",
	},
	{
		func(c *Config) bool { return twice(c.NATS) },
		"nats: an address is there twice: ", "name each server once",
	},
	{
		func(c *Config) bool { return c.Credentials == "" },
		"credentials is missing: ", "the directory with data.nk, keys.nk, member.key and signers",
	},
	{
		func(c *Config) bool { return c.Name == "" },
		"name is missing: ", "this machine's in the roster, e.g. front-1",
	},
	{
		func(c *Config) bool {
			return c.Partitions < 1 || c.Partitions > keys.MostPartitions || c.Partitions&(c.Partitions-1) != 0
		},
		"partitions is a power of two between 1 and 256, ", "the same on all machines and for ever, e.g. 32",
	},
	{
		func(c *Config) bool { return len(c.Roles) == 0 },
		"roles is missing: ", "[front], [worker], [releaser], or several of them",
	},
	{func(c *Config) bool { return twice(c.Roles) }, "roles: one is there twice: ", "name each once"},
	{
		func(c *Config) bool { return c.Roster == "" },
		"roster is missing: ", "the file of the roster, with its signature beside it",
	},
}

// Check refuses what cannot run, before a file is read. Defaults must have been set.
func (c *Config) Check() error {
	for _, r := range rules {
		if r.broken(c) {
			return errors.New(r.message + r.fix)
		}
	}
	for _, r := range c.Roles {
		if !slices.Contains(roles, r) {
			return fmt.Errorf("roles are front, worker and releaser, and %q is none%s", r, meant(r))
		}
	}
	return nil
}

// unfit reports whether an address is none that readings may go to.
func unfit(address string) bool {
	u, err := url.Parse(address)
	return err != nil || u.Scheme != "tls" || (&engine.Config{URLs: []string{address}}).Check() != nil
}

// meant is a question after the role that was meant, or empty.
func meant(r roster.Role) string {
	var known []string
	for _, k := range roles {
		known = append(known, string(k))
	}
	if near := yamldoc.Nearest(string(r), known); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// twice reports whether something is in a list twice.
func twice[T comparable](list []T) bool {
	for i, one := range list {
		if slices.Contains(list[:i], one) {
			return true
		}
	}
	return false
}

// Doubts are what can run and is unwise, each with what to do.
func (c *Config) Doubts() (list []string) {
	if n := len(c.NATS); n < 3 {
		list = append(list, fmt.Sprintf("nats names %d of three servers: while they are away nothing is reached; name "+
			"all three", n))
	}
	return list
}

// Identity reads the roster, and who this machine is by its files. It refuses a roster that is not signed, or does not
// have this machine in its roles, and files that are not there or open to others. The roster comes with an error too,
// where it is signed and only this machine is not as it says.
func (c *Config) Identity(ctx context.Context) (*roster.Roster, *roster.Me, error) {
	_, r, me, err := c.identity(ctx)
	return r, me, err
}

// identity is that, with the roster as it was signed.
func (c *Config) identity(ctx context.Context) (s roster.Signature, r *roster.Roster, me *roster.Me, err error) {
	for _, f := range []struct{ path, key, fix string }{
		{c.Credentials, "credentials", "make the directory: sluice cluster member new writes member.key into it"},
		{c.Roster, "roster", "bring it here, with its .sig, from where it was signed"},
		{c.file("signers"), "credentials", "write there who may sign the roster, as allowed_signers of ssh-keygen"},
		{c.file("member.key"), "credentials", "write it with sluice cluster member new"},
		{c.file("data.nk"), "credentials", "put there the seed, SU..., of the servers' user for data"},
		{c.file("keys.nk"), "credentials", "put there the seed, SU..., of the servers' user for keys"},
		{c.CA, "ca", "bring the certificate that signed the servers', or take ca out"},
	} {
		if _, err := os.Stat(f.path); f.path != "" && errors.Is(err, fs.ErrNotExist) {
			return s, nil, nil, &perm.Error{Path: f.key + ": " + f.path, What: "is not there", Fix: f.fix}
		}
	}
	for _, name := range []string{"data.nk", "keys.nk", "system.nk"} {
		if err := perm.Check(c.file(name), perm.Secret); err != nil {
			return s, nil, nil, err
		}
	}
	if s, r, _, err = c.signed(ctx); err != nil {
		return s, nil, nil, err
	}
	if err = c.in(r); err == nil {
		me, err = r.Identify(c.Name, c.file("member.key"))
	}
	return s, r, me, err
}

// Reaches reports whether there is what the servers are reached with, whatever else is wrong.
func (c *Config) Reaches() bool {
	_, err := os.Stat(c.file("data.nk"))
	return err == nil && perm.Check(c.file("data.nk"), perm.Secret) == nil
}

// May reports whether this machine does something.
func (c *Config) May(role roster.Role) bool { return slices.Contains(c.Roles, role) }

func (c *Config) file(name string) string { return filepath.Join(c.Credentials, name) }

// reach is how one account of the servers is reached. Connections of all members have one name: the servers write it
// into their files, and know who it is by the key.
func (c *Config) reach(credentials string) engine.Config {
	return engine.Config{URLs: c.NATS, Credentials: c.file(credentials), CA: c.CA, Name: "sluice"}
}

// in refuses a roster in which this member does not have its roles.
func (c *Config) in(r *roster.Roster) error {
	m, known := r.Member(c.Name)
	if !known {
		names := make([]string, len(r.Members))
		for i, m := range r.Members {
			names[i] = m.Name
		}
		meant := ""
		if near := yamldoc.Nearest(c.Name, names); near != "" {
			meant = "; did you mean " + near + "?"
		}
		return &perm.Error{Path: c.Roster, What: fmt.Sprintf("has no member %q, which is cluster: name here%s", c.Name,
			meant), Fix: "mend that, or add the line of sluice cluster member new, and sign the roster again"}
	}
	var lacks []string
	for _, role := range c.Roles {
		if !m.May(role) {
			lacks = append(lacks, string(role))
		}
	}
	if len(lacks) > 0 {
		return &perm.Error{Path: c.Roster,
			What: fmt.Sprintf("does not have %s for %s, and cluster: roles has it here", strings.Join(lacks, ", "),
				c.Name),
			Fix: "change cluster: roles, or the member's line there, and sign that again"}
	}
	return nil
}
