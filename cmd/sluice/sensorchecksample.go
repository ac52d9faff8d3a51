package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of what is tried at once.
const (
	maxSampleFile = 64 << 20
	maxSamples    = 10_000
)

// sample is one message; file is the number of the SAMPLE that has it, line where it is in a file
// of several, from 1, and 0 elsewhere.
type sample struct {
	name       string
	file, line int
	payload    []byte
}

// readSamples reads the messages of files; - is stdin.
func readSamples(stdin io.Reader, names []string) (list []sample, err error) {
	for n, name := range names {
		raw, err := readSample(stdin, name)
		if err != nil {
			return nil, err
		}
		switch filepath.Ext(name) {
		case ".jsonl":
			line := 0
			for text := range bytes.Lines(raw) {
				if line++; len(bytes.TrimSpace(text)) > 0 {
					list = append(list, sample{name, n, line, text})
				}
			}
		case ".hex":
			raw, err := hex.DecodeString(strings.Join(strings.Fields(string(raw)), ""))
			if err != nil {
				return nil, fmt.Errorf("%s is not hexadecimal digits, two for each byte; name a file of bytes as they "+
					"are otherwise", name)
			}
			list = append(list, sample{name, n, 0, raw})
		default:
			list = append(list, sample{name, n, 0, raw})
		}
		if len(list) > maxSamples {
			return nil, fmt.Errorf("more than %d messages; try fewer at once", maxSamples)
		}
	}
	return list, nil
}

func readSample(stdin io.Reader, name string) ([]byte, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxSampleFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(raw) > maxSampleFile {
		return nil, fmt.Errorf("%s is larger than %d MiB; try a part of it", name, maxSampleFile>>20)
	}
	return raw, nil
}
