package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/policy/decision"
	"sluice/policy/plan"
	"sluice/register"
)

// Set is one policy version, compiled: every sensor's plans, and what there is
// to say about each decision. It does not change and is safe for concurrent use.
type Set struct {
	Digest    string
	Files     Files
	Charter   *decision.Charter
	Location  *time.Location
	Kinds     map[string]decision.Kind
	Zones     *register.Zones
	Decisions []Decision
	// Streams are the decisions' streams that the charter allows, by id.
	Streams []*plan.Stream

	rules  Evaluator
	bundle *bundle

	mu    sync.Mutex
	cache map[string][]plan.Plan // by sort of sensor; guarded by mu
	why   map[string][]Reason    // guarded by mu
}

// Decision is one document with what the rules say of it.
type Decision struct {
	*decision.Document
	YAML       []byte
	Stream     *plan.Stream
	Violations []Reason
}

// Reason is why a decision, or a plan for a sensor, is refused.
type Reason struct {
	Decision string `json:"decision"`
	Rule     string `json:"rule"`
	Message  string `json:"message"`
}

func (r Reason) String() string { return r.Decision + ": " + r.Rule + ": " + r.Message }

// Compile makes a Set of a policy directory's files. Any error means that the
// version cannot be used at all; a decision that breaks the charter is kept in
// Decisions with its Violations and has no plans.
func Compile(ctx context.Context, rules Evaluator, files Files) (*Set, error) {
	s := &Set{Digest: files.Digest(), Files: files, rules: rules, cache: map[string][]plan.Plan{}, why: map[string][]Reason{}}
	if len(files) == 0 {
		return nil, problem(NoPolicy, errors.New("there is no policy, so nothing flows"))
	}
	if err := s.read(); err != nil {
		return nil, problem(Unreadable, err)
	}
	data, err := s.data()
	if err != nil {
		return nil, problem(Unreadable, err)
	}
	sources, err := modules(files)
	if err != nil {
		return nil, problem(BadRules, err)
	}
	s.bundle = &bundle{ID: s.Digest, Modules: sources, Data: data}
	return s, s.charterCheck(ctx)
}

func (s *Set) ask(ctx context.Context, query string, input any) (json.RawMessage, error) {
	return s.rules.ask(ctx, s.bundle, query, input)
}

func (s *Set) read() error {
	for _, name := range []string{"charter.yaml", "kinds.yaml", "zones.geojson", "council.yaml"} {
		if _, ok := s.Files[name]; !ok {
			return problem(HalfBundle, fmt.Errorf("%s is missing from the policy directory", name))
		}
	}
	var err error
	if s.Charter, err = decision.ParseCharter("charter.yaml", s.Files["charter.yaml"]); err != nil {
		return err
	}
	if s.Location, err = s.Charter.Location(); err != nil {
		return err
	}
	if s.Kinds, err = decision.ParseKinds("kinds.yaml", s.Files["kinds.yaml"]); err != nil {
		return err
	}
	if s.Zones, err = register.ParseZones("zones.geojson", s.Files["zones.geojson"]); err != nil {
		return err
	}
	if _, err = decision.ParseCouncil("council.yaml", s.Files["council.yaml"]); err != nil {
		return err
	}
	var problems []error
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		if !strings.HasPrefix(name, "decisions/") {
			continue
		}
		d, err := s.readDecision(name)
		if err == nil && seen[d.Decision] != "" {
			err = fmt.Errorf("%s: decision %s is already in %s", name, d.Decision, seen[d.Decision])
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		seen[d.Decision] = name
		s.Decisions = append(s.Decisions, d)
	}
	return errors.Join(problems...)
}

func (s *Set) readDecision(name string) (Decision, error) {
	doc, err := decision.Parse(name, s.Files[name])
	if err != nil {
		return Decision{}, err
	}
	stream, err := doc.Plan(s.Location, s.Kinds)
	if err == nil {
		err = stream.Finish()
	}
	if err != nil {
		return Decision{}, fmt.Errorf("%s: %w", name, err)
	}
	return Decision{Document: doc, YAML: s.Files[name], Stream: stream}, nil
}

// data is what the rules see: documents with derived numbers, so that no rule
// parses a date or a duration.
func (s *Set) data() (map[string]any, error) {
	decisions := []any{}
	for _, d := range s.Decisions {
		v, err := decision.Data(d.Document)
		if err != nil {
			return nil, err
		}
		spec, err := decision.Data(d.Stream)
		if err != nil {
			return nil, err
		}
		m := v.(map[string]any)
		m["stream_spec"] = spec
		m["stands_for"] = d.Stream.Unit.StandsFor
		m["epochs_per_day"] = number(int64(24 * time.Hour / max(d.Stream.Forget.Nominal(), time.Second)))
		m["days"] = number(int64(d.Stream.Until.Sub(d.Stream.From) / (24 * time.Hour)))
		m["from_seconds"] = number(d.Stream.From.Unix())
		m["until_seconds"] = number(d.Stream.Until.Unix())
		list := []any{}
		for _, b := range d.Blackouts {
			list = append(list, map[string]any{
				"zones": anys(b.Zones), "reason": b.Reason,
				"from_seconds": number(b.From.Unix()), "until_seconds": number(b.Until.Unix()),
				"seconds": number(int64(b.Until.Sub(b.From) / time.Second)),
			})
		}
		m["blackouts"] = list
		decisions = append(decisions, normal(m))
	}
	charter, err := decision.Data(s.Charter)
	if err != nil {
		return nil, err
	}
	cm := normal(charter).(map[string]any)
	cm["sunset_max_days"] = number(int64(s.Charter.SunsetMax.Nominal() / (24 * time.Hour)))
	cm["blackout_max_seconds"] = number(int64(s.Charter.BlackoutMax.Nominal() / time.Second))
	kinds, err := decision.Data(s.Kinds)
	if err != nil {
		return nil, err
	}
	return map[string]any{"decisions": decisions, "charter": cm, "kinds": normal(kinds), "zones": anys(s.Zones.IDs())}, nil
}

func number(n int64) json.Number { return json.Number(fmt.Sprint(n)) }

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// normal turns absent lists (null) into empty ones, which is what rules expect.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if x == nil {
				v[key] = []any{}
			} else {
				v[key] = normal(x)
			}
		}
	case []any:
		for i := range v {
			v[i] = normal(v[i])
		}
	}
	return v
}

// charterCheck asks which decisions break the charter and collects the streams
// of the others.
func (s *Set) charterCheck(ctx context.Context) error {
	answer, err := s.ask(ctx, askCharter, map[string]any{})
	if err != nil {
		return err
	}
	var violations []Reason
	if err := strict(answer, &violations); err != nil {
		return fmt.Errorf("charter rules: %w", err)
	}
	for i := range s.Decisions {
		d := &s.Decisions[i]
		for _, v := range violations {
			if v.Decision == d.Decision {
				d.Violations = append(d.Violations, v)
			}
		}
		if len(d.Violations) == 0 {
			s.Streams = append(s.Streams, d.Stream)
		}
	}
	slices.SortFunc(s.Streams, func(a, b *plan.Stream) int { return strings.Compare(a.ID+" "+a.Decision, b.ID+" "+b.Decision) })
	return nil
}

// strict decodes a rule's answer; a key or type outside the vocabulary, null or
// a second value is an error.
func strict(answer json.RawMessage, into any) error {
	if string(bytes.TrimSpace(answer)) == "null" {
		return problem(Undefined, errUndefined)
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.DisallowUnknownFields()
	return problem(WrongType, d.Decode(into))
}
