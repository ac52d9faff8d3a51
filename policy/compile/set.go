package compile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"sluice/plan"
	"sluice/policy/bundle"
	"sluice/policy/rego"
)

// Set is one policy version, compiled: every sensor's plans, and what there is
// to say about each decision. It does not change and is safe for concurrent use.
type Set struct {
	*bundle.Policy
	Digest string
	// Broken are the ways in which decisions break the charter, by decision.
	Broken map[string][]Reason
	// Streams are the decisions' streams that the charter allows, by id; for one
	// gateway, with its zones only.
	Streams []*plan.Stream
	// voted are the same with all zones.
	voted []*plan.Stream

	rules  rego.Evaluator
	bundle *rego.Version
	// owners: the rules may look at who owns a sensor.
	owners bool
	// violations are the charter rules' answer, which the plan rules look at.
	violations json.RawMessage

	mu    sync.Mutex
	cache map[sort][]plan.Plan // guarded by mu
	why   map[sort][]Reason    // guarded by mu
}

// Reason is why a decision, or a plan for a sensor, is refused.
type Reason struct {
	Decision string `json:"decision"`
	Rule     string `json:"rule"`
	Message  string `json:"message"`
}

func (r Reason) String() string { return r.Decision + ": " + r.Rule + ": " + r.Message }

// Files makes a Set of a policy directory's files. Any error means that the
// version cannot be used at all; a decision that breaks the charter is kept, is
// Broken and has no plans.
func Files(ctx context.Context, rules rego.Evaluator, files bundle.Files) (*Set, error) {
	if len(files) == 0 {
		return nil, rego.WithCode(rego.NoPolicy, errors.New("there is no policy, so nothing flows"))
	}
	p, err := bundle.Read(files)
	if errors.Is(err, bundle.ErrMissing) {
		return nil, rego.WithCode(rego.HalfBundle, err)
	}
	if err != nil {
		return nil, rego.WithCode(rego.Unreadable, err)
	}
	return Policy(ctx, rules, p)
}

// Policy is Files for documents that have been read already.
func Policy(ctx context.Context, rules rego.Evaluator, p *bundle.Policy) (*Set, error) {
	s := &Set{Policy: p, Digest: p.Files.Digest(), rules: rules, Broken: map[string][]Reason{},
		cache: map[sort][]plan.Plan{}, why: map[sort][]Reason{}}
	data, err := bundle.Data(p)
	if err != nil {
		return nil, rego.WithCode(rego.Unreadable, err)
	}
	sources, err := rego.Modules(p.Files)
	if err != nil {
		return nil, rego.WithCode(rego.BadRules, err)
	}
	s.bundle = &rego.Version{ID: s.Digest, Modules: sources, Data: data}
	return s, s.charterCheck(ctx)
}

// Words are a policy that the rules were not asked about: no stream of it runs, and no
// sensor has a plan.
func Words(p *bundle.Policy) *Set {
	return &Set{Policy: p, Digest: p.Files.Digest(), Broken: map[string][]Reason{}}
}

func (s *Set) ask(ctx context.Context, query string, input any) (json.RawMessage, error) {
	return s.rules.Ask(ctx, s.bundle, query, input)
}

// charterCheck asks which decisions break the charter and collects the streams
// of the others.
func (s *Set) charterCheck(ctx context.Context) error {
	answer, err := s.ask(ctx, rego.AskCharter, map[string]any{})
	if err != nil {
		return err
	}
	var violations []Reason
	if err := strict(answer, &violations); err != nil {
		return fmt.Errorf("charter rules: %w", err)
	}
	s.violations = answer
	if s.owners, err = s.rules.LooksAtOwner(ctx, s.bundle); err != nil {
		return err
	}
	for _, v := range violations {
		s.Broken[v.Decision] = append(s.Broken[v.Decision], v)
	}
	for _, d := range s.Decisions {
		if len(s.Broken[d.Decision]) > 0 {
			continue
		}
		if s.Streams = append(s.Streams, d.Stream); d.Days != nil {
			s.Streams = append(s.Streams, d.Days)
		}
	}
	slices.SortFunc(s.Streams, func(a, b *plan.Stream) int {
		return strings.Compare(a.ID+" "+a.Decision, b.ID+" "+b.Decision)
	})
	s.voted = s.Streams
	return nil
}

// Only leaves each stream the zones that belong to a gateway, and those that belong
// to none: a zone that two gateways released would have two numbers. It is called
// before the set is used.
func (s *Set) Only(gateway string) error {
	s.Streams = nil
	for _, st := range s.voted {
		own := slices.DeleteFunc(slices.Clone(st.Zones), func(zone string) bool {
			of := s.Zones.Gateway(zone)
			return of != "" && of != gateway
		})
		switch {
		case len(own) == 0:
		case len(own) == len(st.Zones):
			s.Streams = append(s.Streams, st)
		default:
			part := *st
			part.Zones = own
			part.Cells, part.Measures = nil, slices.Clone(st.Measures)
			if err := part.Finish(); err != nil {
				return err
			}
			s.Streams = append(s.Streams, &part)
		}
	}
	return nil
}

// Elsewhere are the decisions none of whose zones are a gateway's, so that others run them,
// by id.
func (s *Set) Elsewhere(gateway string) (list []string) {
	for _, d := range s.Decisions {
		if !slices.ContainsFunc(d.Stream.Zones, func(zone string) bool {
			of := s.Zones.Gateway(zone)
			return of == "" || of == gateway
		}) {
			list = append(list, d.Decision)
		}
	}
	slices.Sort(list)
	return list
}

// strict decodes a rule's answer; a key or type outside the vocabulary, null or
// a second value is an error.
func strict(answer json.RawMessage, into any) error {
	if string(bytes.TrimSpace(answer)) == "null" {
		return rego.WithCode(rego.Undefined, rego.ErrUndefined)
	}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.DisallowUnknownFields()
	return rego.WithCode(rego.WrongType, d.Decode(into))
}
