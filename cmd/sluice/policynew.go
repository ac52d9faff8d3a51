package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/configs/portalba"
	"sluice/policy/check"
	"sluice/policy/council"
	"sluice/policy/schema"
	"sluice/policy/workspace"
)

func policyNew() *cobra.Command {
	var dir, language string
	c := &cobra.Command{
		Use:   "new ID",
		Short: "Write a commented decision to start from",
		Args:  between(1, 1),
		Long: "Writes DIR/decisions/ID.yaml, and DIR/schema for editors. If DIR is no policy directory yet, it also\n" +
			"writes the example city's charter, kinds and zones, to be replaced, and an empty roster.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			id := args[0]
			if !council.GoodID(id) {
				return &usageError{"a decision's id has only letters, digits and . _ -, e.g. 2026-14"}
			}
			written, err := writeExample(v, dir)
			if err != nil {
				return failed(err)
			}
			p, err := readPolicy(cmd.Context(), v, dir)
			if err != nil {
				return err
			}
			to := filepath.Join(dir, "decisions", id+".yaml")
			if d := p.Decision(id); d != nil {
				return failed(fmt.Errorf("decision %s exists already, in %s; choose another id",
					id, filepath.Join(dir, d.File)))
			}
			if _, err := os.Stat(to); err == nil {
				return failed(fmt.Errorf("%s exists already; choose another id", to))
			}
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return failed(err)
			}
			text, err := newDecision(v, p, id, time.Now())
			if err != nil {
				return err
			}
			if err := os.WriteFile(to, []byte(commentsIn(v, text)), 0o644); err != nil {
				return failed(err)
			}
			for _, name := range append(written, to) {
				fmt.Fprintln(cmd.OutOrStdout(), name)
			}
			fmt.Fprintln(cmd.ErrOrStderr(), v.Say("Next: fill in %s, then: sluice policy check %s", to, dir))
			return nil
		},
	}
	langFlag(c, &language)
	c.Flags().StringVar(&dir, "dir", ".", "policy directory")
	return c
}

// writeExample writes the files that a policy directory lacks, as the example city has them, and
// the schemas. It returns the files that it wrote.
func writeExample(v locale, dir string) ([]string, error) {
	var written []string
	put := func(name string, raw []byte) error {
		to := filepath.Join(dir, name)
		if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		written = append(written, to)
		return os.WriteFile(to, raw, 0o644)
	}
	example := portalba.Policy()
	for _, name := range []string{"charter.yaml", "council.yaml", "kinds.yaml", "zones.geojson"} {
		raw := example[name]
		if name == "charter.yaml" {
			raw = withoutName(raw, v)
		}
		if strings.HasSuffix(name, ".yaml") {
			editors := "# yaml-language-server: $schema=schema/" + schema.Of(name) + ".schema.json\n"
			raw = []byte(editors + commentsIn(v, string(raw)))
		}
		if err := put(name, raw); err != nil {
			return nil, err
		}
	}
	return written, workspace.Dir(dir).Schemas()
}

// contacts are the example city's, in its charter.
var contacts = regexp.MustCompile(`(?s)  # Who answers .*?\npurposes:`)

// withoutName replaces the example city's name in its charter by a placeholder, and takes
// its contacts out.
func withoutName(charter []byte, v locale) []byte {
	charter = contacts.ReplaceAllLiteral(charter, []byte("purposes:"))
	charter = bytes.Replace(charter, []byte("id: portalba"), []byte("id: "+check.TemplateCity), 1)
	return bytes.Replace(charter, []byte("name: Portalba"), []byte(`name: "`+v.Say("<the name of your city>")+`"`), 1)
}
