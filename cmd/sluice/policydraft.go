package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/policy/bundle"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// readDraft reads the draft, and the policy and decision that it would replace.
func readDraft(
	ctx context.Context, v locale, dir, name string,
) (draft, inForce *bundle.Policy, d *bundle.Decision, err error) {
	files, err := compile.ReadDir(dir)
	if err != nil {
		return nil, nil, nil, failed(err)
	}
	if files, err = rego.WithRules(files); err != nil {
		return nil, nil, nil, failed(err)
	}
	before := maps.Clone(files)
	if raw, err := os.ReadFile(name); err == nil && strings.HasSuffix(name, ".yaml") {
		putDraft(files, before, filepath.Base(name), raw)
	}
	if draft, err = bundle.Read(files); err != nil {
		return nil, nil, nil, failed(unreadable(ctx, v, dir, err))
	}
	list, err := choose(draft, []string{name})
	if err != nil {
		at := slices.IndexFunc(draft.Decisions, func(x bundle.Decision) bool {
			return filepath.Base(x.File) == filepath.Base(name)
		})
		if at < 0 {
			return nil, nil, nil, err
		}
		list = []*bundle.Decision{&draft.Decisions[at]}
	}
	if inForce, err = policyInForce(dir); err == nil && inForce == nil {
		inForce, err = bundle.Read(before)
	}
	return draft, inForce, list[0], failed(err)
}

// putDraft adds a decision's file to the others in place of the decision with the same id. If the
// same file is among them already, it is removed from before.
func putDraft(files, before bundle.Files, name string, raw []byte) {
	for file, text := range before { // the same decision, perhaps under another file name
		if strings.HasPrefix(file, "decisions/") && string(text) == string(raw) {
			delete(before, file)
			return
		}
	}
	for file := range before {
		if strings.HasPrefix(file, "decisions/") && sameDecision(files[file], raw) {
			delete(files, file)
		}
	}
	files["decisions/"+name] = raw
}

// sameDecision compares the ids of two decision files.
func sameDecision(a, b []byte) bool {
	id := func(raw []byte) string {
		for line := range strings.Lines(string(raw)) {
			if rest, ok := strings.CutPrefix(line, "decision:"); ok {
				rest, _, _ = strings.Cut(rest, "#")
				return strings.Trim(strings.TrimSpace(rest), `"'`)
			}
		}
		return ""
	}
	return id(a) != "" && id(a) == id(b)
}
