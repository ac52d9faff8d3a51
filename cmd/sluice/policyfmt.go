package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sluice/gateway/config"
	"sluice/internal/yamldoc"
)

func policyFmt() *cobra.Command {
	var language string
	var list bool
	c := &cobra.Command{
		Use:   "fmt [FILE or DIR...]",
		Short: "Format YAML files in place; comments are kept",
		Long: "Indents by two blanks, and writes one blank behind colons and commas. Comments, order and quotes are\n" +
			"kept, and so is the meaning. --check changes nothing, lists the files and lines that would change,\n" +
			"and exits with 1 if there are any.",
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := localeOf(cmd)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"."}
			}
			files, err := yamlFiles(args)
			if err != nil {
				return failed(err)
			}
			changed := 0
			for _, name := range files {
				lines, err := formatFile(v, name, list)
				if err != nil {
					return err
				}
				if lines == "" {
					continue
				}
				changed++
				if list {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, lines)
				} else {
					fmt.Fprintln(cmd.OutOrStdout(), name)
				}
			}
			if list && changed > 0 {
				return &exitError{exitFailed, v.Say("%d files are not formatted; run sluice policy fmt", changed)}
			}
			return nil
		},
	}
	langFlag(c, &language)
	c.Flags().BoolVar(&list, "check", false, "change nothing; list the files that would change")
	return c
}

// formatFile formats a file in place, or only checks it, and returns the lines that change, or "".
func formatFile(v locale, name string, look bool) (lines string, err error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return "", failed(err)
	}
	out, err := yamldoc.Tidy(raw)
	var slip *yamldoc.SyntaxError
	switch {
	case errors.As(err, &slip):
		text := slip.In(int(v.Lang))
		return "", &exitError{exitFailed, fmt.Sprintf("%s:%d:%d: %s", name, slip.Line, slip.Column, text)}
	case err != nil:
		return "", failed(fmt.Errorf("%s: %w", name, err))
	case string(out) == string(raw):
		return "", nil
	}
	if !look {
		if err := os.WriteFile(name, out, 0o644); err != nil {
			return "", &config.Refusal{Err: err}
		}
	}
	return firstDifferences(raw, out), nil
}

// maxLines is how many lines of a file are listed.
const maxLines = 10

// firstDifferences lists the first lines that formatting would change.
func firstDifferences(raw, out []byte) string {
	was, is := strings.Split(string(raw), "\n"), strings.Split(string(out), "\n")
	var lines []string
	for i := range was {
		if i >= len(is) || was[i] != is[i] {
			lines = append(lines, strconv.Itoa(i+1))
		}
		if len(was) != len(is) && len(lines) > 0 || len(lines) == maxLines {
			lines = append(lines, "…") // what is below has moved, or is much
			break
		}
	}
	return strings.Join(lines, ", ")
}

func yamlFiles(args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			out = append(out, arg)
			continue
		}
		for _, pattern := range []string{"*.yaml", "decisions/*.yaml", "tests/*.yaml"} {
			names, err := filepath.Glob(filepath.Join(arg, pattern))
			if err != nil {
				return nil, err
			}
			out = append(out, names...)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("there is no YAML file here; name a file or a policy directory")
	}
	return out, nil
}
