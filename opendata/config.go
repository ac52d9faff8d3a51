package opendata

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"sluice/internal/yamldoc"
	"sluice/perm"
	"sluice/store/influx"
)

// Config is opendata.yaml. Unknown keys are refused.
type Config struct {
	// HTTP is the address to serve.
	HTTP string `yaml:"http"`
	// Admin is an address for health alone; empty for none. Health is on HTTP too.
	Admin string `yaml:"admin"`
	// URL is the public base of the pages, e.g. https://data.city.example.
	URL string `yaml:"url"`
	// Rate limits requests. PerSecond is how many each client may make, 0 for no limit;
	// five seconds' worth may come at once. Where it is not given, it is 20, or no limit
	// on a loopback address, where a proxy's clients cannot be told apart.
	Rate struct {
		PerSecond *float64 `yaml:"per_second"`
	} `yaml:"rate"`
	// Connections bounds how many there may be at a time of one address, of IPv6 of one
	// network of 64 bits; 0 for no bound but that of all, 1,000. Where PerAddress is not
	// given, it is 32, or no bound on a loopback address, where a proxy's clients come
	// from one.
	Connections struct {
		PerAddress *int `yaml:"per_address"`
	} `yaml:"connections"`
	// Live are the listeners of /api/v1/live. Listeners is how many there may be at a time,
	// 5,000 where it is not given, besides the connections of all others; of one address as
	// many as Connections says.
	Live struct {
		Listeners *int `yaml:"listeners"`
	} `yaml:"live"`
	// MQTT is a broker for reading. Listen is its address, such as 0.0.0.0:1883; empty for
	// none. WebSocket serves the same at /mqtt of HTTP. It takes as many connections as HTTP
	// does, besides those, and of one address as many as Connections says; the brokers of
	// several cities share them evenly.
	MQTT struct {
		Listen    string `yaml:"listen"`
		WebSocket bool   `yaml:"websocket"`
	} `yaml:"mqtt"`
	// Books is the directory of the public books, or the URL of a mirror; where the city
	// has several gateways, a list of theirs. Of several cities it is a list of City, and what
	// follows, Streets to Archive, stands with each, as MQTT does. Of one gateway that several
	// machines release for it is a list of Copy.
	Books Books `yaml:"books"`
	// Streets is a GeoJSON file of the city's streets, squares, water, parks and buildings, for
	// the map; empty for zones alone. StreetsCredit is who is to be named for it, such as
	// "© OpenStreetMap contributors".
	Streets       string `yaml:"streets"`
	StreetsCredit string `yaml:"streets_credit"`
	// Store is where releases are read: one of sqlite and influx.
	Store Store `yaml:"store"`
	// Archive is where files of whole months and years are kept.
	Archive Archive `yaml:"archive"`
	Log     struct {
		Level string `yaml:"level"`
	} `yaml:"log"`
}

// Store is the same store as the gateway's, for reading.
type Store struct {
	SQLite *SQLite        `yaml:"sqlite"`
	Influx *influx.Config `yaml:"influx"`
}

// SQLite names a database file.
type SQLite struct {
	Path string `yaml:"path"`
}

// ReadConfig reads and checks opendata.yaml. Relative paths are relative to it.
func ReadConfig(path string) (Config, error) {
	var c Config
	raw, err := perm.Read(path, perm.Trusted)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := yamldoc.Decode(path, raw, &c); err != nil {
		return c, err
	}
	if c.HTTP == "" {
		c.HTTP = "127.0.0.1:8080"
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.below(filepath.Dir(path)); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// below makes relative paths those of a directory.
func (c *Config) below(dir string) error {
	under := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	under(&c.Archive.Dir)
	under(&c.Streets)
	c.Store.below(under)
	for n, p := range c.Books.Places {
		if !Remote(p) {
			under(&c.Books.Places[n])
		}
	}
	for n := range c.Books.Copies {
		one := &c.Books.Copies[n]
		if !Remote(one.Books) {
			under(&one.Books)
		}
		one.Store.below(under)
	}
	for n := range c.Books.Cities {
		one := c.of(n)
		if err := one.below(dir); err != nil {
			return err
		}
		city := &c.Books.Cities[n]
		city.Books, city.Streets, city.Archive = one.Books, one.Streets, one.Archive
	}
	if err := c.Books.apart(); err != nil {
		return fmt.Errorf("books: %w", err)
	}
	return c.Books.places().once()
}

// below makes relative paths those of a directory.
func (s *Store) below(under func(path *string)) {
	if s.SQLite != nil {
		under(&s.SQLite.Path)
	}
	if s.Influx != nil {
		under(&s.Influx.TokenFile)
	}
}

// check refuses what is no store.
func (s *Store) check() error {
	switch {
	case (s.SQLite == nil) == (s.Influx == nil):
		return errors.New("store is one of {sqlite: {path: FILE}} and {influx: {url, org, bucket, token_file}}")
	case s.SQLite != nil && s.SQLite.Path == "":
		return errors.New("store: sqlite: path is missing")
	case s.Influx == nil:
		return nil
	}
	if err := s.Influx.Check(); err != nil {
		return fmt.Errorf("store: influx: %w", err)
	}
	return nil
}

// where is what tells a store from others.
func (s *Store) where() string {
	if s.SQLite != nil {
		return filepath.Clean(s.SQLite.Path)
	}
	return strings.Join([]string{strings.TrimRight(s.Influx.URL, "/"), s.Influx.Org, s.Influx.Bucket}, " ")
}

// perSecond is the effective rate limit.
func (c *Config) perSecond(loopback bool) float64 {
	switch {
	case c.Rate.PerSecond != nil:
		return *c.Rate.PerSecond
	case loopback:
		return 0
	}
	return 20
}

// perAddress is the effective bound on one address's connections.
func (c *Config) perAddress(loopback bool) int {
	switch {
	case c.Connections.PerAddress != nil:
		return *c.Connections.PerAddress
	case loopback:
		return 0
	}
	return 32
}

// listeners is the effective bound on those of /api/v1/live.
func (c *Config) listeners() int {
	if c.Live.Listeners != nil {
		return *c.Live.Listeners
	}
	return 5000
}

// maxListeners is the most that may be configured.
const maxListeners = 100_000

func (c *Config) check() error {
	switch {
	case c.Rate.PerSecond != nil && !(*c.Rate.PerSecond == 0 || *c.Rate.PerSecond >= 0.01 && *c.Rate.PerSecond <= 1e6):
		return errors.New("rate: per_second is how many requests a client may make in a second, from 0.01 to " +
			"1,000,000, or 0 for no limit")
	case c.Connections.PerAddress != nil && (*c.Connections.PerAddress < 0 || *c.Connections.PerAddress > connections):
		return errors.New("connections: per_address is how many connections a client may have at a time, from 1 to " +
			"1,000, or 0 for no limit")
	case c.Live.Listeners != nil && (*c.Live.Listeners < 1 || *c.Live.Listeners > maxListeners):
		return errors.New("live: listeners is how many may listen at a time, from 1 to 100,000")
	case c.Books.empty():
		return errors.New("books is missing: " + whichBooks)
	}
	if err := c.checkCities(); err != nil {
		return err
	}
	return c.checkURL()
}

// checkOne checks what a city has of its own.
func (c *Config) checkOne() error {
	switch {
	case len(c.StreetsCredit) > 300:
		return errors.New("streets_credit is longer than a line; name whom the licence asks for")
	case !c.Books.ownStores():
		return c.Store.check()
	case c.Store != Store{}:
		return errors.New("store is given beside books and with each copy in books: give it in one of these places")
	}
	return nil
}

func (c *Config) checkURL() error {
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil ||
			u.RawQuery != "" || u.Fragment != "" {
			return errors.New("url is where the public finds the pages, such as https://data.city.example")
		}
	}
	return nil
}
