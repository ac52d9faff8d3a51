package opendata

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sluice/policy/decision"
)

// Config is opendata.yaml. Unknown keys are refused.
type Config struct {
	// HTTP is the address to serve.
	HTTP string `yaml:"http"`
	// Admin is an address for health alone; empty for none. Health is on HTTP too.
	Admin string `yaml:"admin"`
	// URL is the public base of the pages, e.g. https://data.city.example.
	URL string `yaml:"url"`
	// Rate limits requests; this version knows 0, which is no limit.
	Rate struct {
		PerSecond float64 `yaml:"per_second"`
	} `yaml:"rate"`
	// Books is the directory of the public books.
	Books string `yaml:"books"`
	// Store is where releases are read.
	Store struct {
		SQLite *struct {
			Path string `yaml:"path"`
		} `yaml:"sqlite"`
	} `yaml:"store"`
	Log struct {
		Level string `yaml:"level"`
	} `yaml:"log"`
}

// ReadConfig reads and checks opendata.yaml. Relative paths are relative to it.
func ReadConfig(path string) (Config, error) {
	var c Config
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if err := decision.Decode(path, raw, &c); err != nil {
		return c, err
	}
	if c.HTTP == "" {
		c.HTTP = "127.0.0.1:8080"
	}
	switch {
	case c.Rate.PerSecond != 0:
		return c, errors.New(path + ": rate limiting is not in this version; set rate: {per_second: 0}")
	case strings.Contains(c.Books, "://"):
		return c, errors.New(path + ": books from a URL are not in this version; give a directory")
	}
	if c.Books == "" || c.Store.SQLite == nil || c.Store.SQLite.Path == "" {
		return c, errors.New(path + ": books: DIR and store: {sqlite: {path: FILE}} are needed")
	}
	for _, p := range []*string{&c.Books, &c.Store.SQLite.Path} {
		if !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return c, nil
}
