package studio

import (
	"encoding/json"

	"sluice/internal/yamldoc"
)

// head is what a list shows of a decision, also of one that check finds much wrong with.
type head struct {
	id    string
	title map[string]string
}

// headOf reads a file as far as it can be read.
func headOf(raw []byte) (h head) {
	tree, err := yamldoc.ParseTree(raw)
	if err != nil {
		return h
	}
	text, err := tree.Value()
	if err != nil {
		return h
	}
	var all map[string]any
	if json.Unmarshal(text, &all) != nil {
		return h
	}
	h.id, _ = all["decision"].(string)
	h.title = make(map[string]string)
	title, _ := all["title"].(map[string]any)
	for code, words := range title {
		if words, ok := words.(string); ok {
			h.title[code] = words
		}
	}
	return h
}
