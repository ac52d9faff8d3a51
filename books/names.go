package books

import "maps"

// Party is somebody whom residents can reach, as the charter names them. Each part may be
// empty; Web is an address of https.
type Party struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	Email   string `json:"email,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Web     string `json:"web,omitempty"`
}

// Vocabulary is the council's words for ids: id, language, words. Fields' ids are
// KIND/FIELD, categories' ids FIELD/VALUE; units are units of measurement as kinds.yaml
// writes them. What is not there has no words but its id.
type Vocabulary struct {
	Purposes   map[string]map[string]string `json:"purposes,omitempty"`
	Kinds      map[string]map[string]string `json:"kinds,omitempty"`
	Fields     map[string]map[string]string `json:"fields,omitempty"`
	Categories map[string]map[string]string `json:"categories,omitempty"`
	Units      map[string]map[string]string `json:"units,omitempty"`
}

// With is the vocabulary with the words of another for ids of which it has none, as for two
// versions of a policy that are in force at two gateways.
func (v Vocabulary) With(more Vocabulary) Vocabulary {
	return Vocabulary{
		Purposes: with(v.Purposes, more.Purposes), Kinds: with(v.Kinds, more.Kinds),
		Fields: with(v.Fields, more.Fields), Categories: with(v.Categories, more.Categories),
		Units: with(v.Units, more.Units),
	}
}

func with(words, more map[string]map[string]string) map[string]map[string]string {
	if len(words) == 0 || len(more) == 0 {
		if len(words) == 0 {
			return more
		}
		return words
	}
	out := maps.Clone(more)
	maps.Copy(out, words)
	return out
}

// Limit is a value that a measure is compared with, such as a legal one, in the measure's
// unit. Title is by language. Over is the ISO 8601 period whose mean the limit is about,
// such as P1D; empty for the window itself. Sources is Source by language, where the council has
// written it so.
type Limit struct {
	Value   float64           `json:"value"`
	Title   map[string]string `json:"title"`
	Source  string            `json:"source"`
	Sources map[string]string `json:"sources,omitempty"`
	Over    string            `json:"over,omitempty"`
}
