package templates

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"sluice/internal/yamldoc"
	"sluice/policy/bundle"
	"sluice/policy/decision"
)

// errLike is the error of Like for a file in which it does not find what it changes.
var errLike = errors.New("the decision is written in a way that it cannot be copied in; copy its file by hand")

// Like is a decision of a policy under another id, as it is written, comments too: only its id and
// its days differ. It begins when the old one is over, or as early as Term says if that is later,
// lasts as long, within the charter, and continues the same series.
func Like(p *bundle.Policy, old *bundle.Decision, id string, now time.Time) ([]byte, error) {
	from, until := Term(p, now)
	if over := old.Stream.Until.In(p.Location); over.After(from) {
		until = over.Add(until.Sub(from))
		from = over
	}
	if last := from.Add(old.Stream.Until.Sub(old.Stream.From)).AddDate(0, 0, -1); last.Before(until) {
		until = last
	}
	days := map[string]string{
		"decision": fmt.Sprintf("%q", id), "from": from.Format(time.DateOnly), "until": until.Format(time.DateOnly),
		"review": Review(from, until).Format(time.DateOnly),
	}
	text := string(old.YAML)
	for key, value := range days {
		line := regexp.MustCompile(`(?m)^(` + key + `: +)("[^"\n]*"|'[^'\n]*'|[^\s#]+)`)
		at := line.FindAllStringSubmatchIndex(text, -1)
		switch {
		case len(at) == 1:
			text = text[:at[0][4]] + value + text[at[0][5]:]
		case len(at) == 0 && key == "review":
			text += "review: " + value + "\n"
		default:
			return nil, errLike
		}
	}
	if !sameBut(old.YAML, []byte(text), days) {
		return nil, errLike
	}
	return []byte(text), nil
}

// sameBut reports whether two decisions say the same but for some keys.
func sameBut(before, after []byte, values map[string]string) bool {
	var was, is map[string]any
	for raw, into := range map[*[]byte]*map[string]any{&before: &was, &after: &is} {
		tree, err := yamldoc.ParseTree(*raw)
		if err != nil {
			return false
		}
		text, err := tree.Value()
		if err != nil || json.Unmarshal(text, into) != nil {
			return false
		}
		for key := range values {
			delete(*into, key)
		}
	}
	_, err := decision.Parse("", after)
	return err == nil && reflect.DeepEqual(was, is)
}
