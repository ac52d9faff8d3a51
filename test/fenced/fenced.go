// Package fenced has the documents' fenced blocks run by tests. A document is a
// program: each of its blocks is taken by the test that runs it,
//
//	b := fenced.Take(t, "docs/operations.md", "sudo apt-get")
//	b.Change("127.0.0.1:8080", addr)
//	out, err := b.Bash(dir, path)
//
// and TestDocuments, at the top of the module, fails for a block that no test takes.
// A block that is taken and neither run nor read fails its test. What cannot be run
// where tests run has a stand-in, which looks at its arguments instead, and a reason:
//
//	b.StandIn("systemctl", `test -e "$UNITS/$2"`, "the test has no systemd")
//
// In configs/, a command is a line of a comment that is indented by three blanks or
// more; lines of that sort that follow one another are a block, of language "sh".
package fenced

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Block is one fenced block of a document.
type Block struct {
	File string // of the document, from the top of the module on, with /
	Line int    // of its fence
	Lang string // what the fence says: sh, yaml, ...; empty where it says nothing
	Text string // its lines, without the indentation that all of them have
}

// Begins reports whether the block's first line begins so.
func (b Block) Begins(with string) bool {
	return strings.HasPrefix(strings.TrimLeft(b.Text, " "), strings.TrimLeft(with, " "))
}

func (b Block) String() string {
	first, _, _ := strings.Cut(b.Text, "\n")
	return fmt.Sprintf("%s:%d: ```%s, %q", b.File, b.Line, b.Lang, first)
}

// Top is the directory of go.mod, from which documents are named. It is looked for
// upwards from where the process stands, as tests stand in their package.
func Top() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		return "", fmt.Errorf("there is no go.mod above the working directory")
	}
}

// Documents names every file under top that is held to what it says.
func Documents(top string) ([]string, error) {
	var all []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "configs/*.yaml", "configs/*.conf",
		"configs/*/*.service"} {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			name, err := filepath.Rel(top, path)
			if err != nil {
				return nil, err
			}
			all = append(all, filepath.ToSlash(name))
		}
	}
	slices.Sort(all)
	return all, nil
}

// Blocks reads the blocks of one document in their order.
func Blocks(top, file string) ([]Block, error) {
	raw, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(file)))
	if err != nil {
		return nil, err
	}
	if filepath.Ext(file) != ".md" {
		return comments(file, string(raw)), nil
	}
	return fences(file, string(raw))
}

func fences(file, text string) ([]Block, error) {
	var all []Block
	var open *Block
	indent := ""
	for n, line := range strings.Split(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		switch {
		case open == nil && (strings.HasPrefix(bare, "```") || strings.HasPrefix(bare, "~~~")):
			if bare[0] == '~' || strings.HasPrefix(bare, "````") {
				return nil, fmt.Errorf("%s:%d: write fences as ```", file, n+1)
			}
			indent = line[:len(line)-len(bare)]
			open = &Block{File: file, Line: n + 1, Lang: strings.TrimSpace(bare[3:])}
		case open != nil && strings.TrimSpace(bare) == "```":
			all, open = append(all, *open), nil
		case open != nil:
			open.Text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: the fence is not closed", file, open.Line)
	}
	return all, nil
}

func comments(file, text string) []Block {
	var all []Block
	last := -1
	for n, line := range strings.Split(text, "\n") {
		command, ok := strings.CutPrefix(line, "#   ")
		if !ok {
			continue
		}
		if n != last+1 || len(all) == 0 {
			all = append(all, Block{File: file, Line: n + 1, Lang: "sh"})
		}
		all[len(all)-1].Text += strings.TrimLeft(command, " ") + "\n"
		last = n
	}
	return all
}
