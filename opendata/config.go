package opendata

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/policy/decision"
)

// Config is opendata.yaml. Unknown keys are refused.
type Config struct {
	// HTTP is the address to serve.
	HTTP string `yaml:"http"`
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
