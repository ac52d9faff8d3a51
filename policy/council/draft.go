package council

import (
	"errors"
	"fmt"
	"time"

	"sluice/internal/civil"
	"sluice/policy/ballot"
	"sluice/policy/bundle"
	"sluice/policy/decision"
	"sluice/policy/diff"
)

// Draft is a motion on its way to the vote.
type Draft struct {
	Previous *Enacted // nil for the first
	Policy   *bundle.Policy
	ID       string
	Gateways []string
	Created  time.Time
	// Within is how long after it may take effect gateways still take it.
	Within time.Duration
}

// Motion computes the head: version, hashes, notice.
func (d Draft) motion(packed []byte) (Motion, error) {
	if !GoodID(d.ID) {
		return Motion{}, errors.New("a motion's name is letters, digits and . _ -, e.g. 2026-footfall")
	}
	prev, m := d.prev(),
		Motion{Format: Format, City: d.Policy.Charter.City.ID, ID: d.ID, Version: 1, Bundle: Sum(packed),
			Gateways: d.Gateways, Created: d.Created.UTC().Truncate(time.Second)}
	m.Roster = Sum(d.Policy.Files["council.yaml"])
	if prev != nil {
		m.Version, m.Previous, m.Roster = d.Previous.Version+1, d.Previous.Hash, Sum(prev.Files["council.yaml"])
		if m.City != d.Previous.City {
			return m, fmt.Errorf("charter.yaml: city.id is %s, and the policy in force is of %s; a city keeps its "+
				"id: write it back, or begin another town with sluice up --dir NEW --member NAME=FILE.pub", m.City,
				d.Previous.City)
		}
	}
	loc := d.Policy.Location
	if prev != nil {
		loc = prev.Location
	}
	m.NotBefore = effect(m.Created, Notice(prev, d.Policy, m.Changes(d.Previous, d.Policy)), loc)
	m.Expires = m.NotBefore.Add(d.Within)
	return m, nil
}

// effect is when a motion may take effect: at once without notice, else at the
// first local midnight after the days of notice.
func effect(created time.Time, notice int, loc *time.Location) time.Time {
	if notice <= 0 {
		return created
	}
	y, m, d := created.In(loc).Date()
	return civil.Date{Year: y, Month: int(m), Day: d + notice + 1}.Start(loc).UTC()
}

func (d Draft) prev() *bundle.Policy {
	if d.Previous == nil {
		return nil
	}
	return d.Previous.Policy
}

// Create freezes the policy and writes the text; ballots are still to come.
func (d Draft) Create() (Motion, Parts, error) {
	if !GoodGateways(d.Gateways) {
		return Motion{}, nil, errors.New("gateways have names of letters, digits and . _ -, each once")
	}
	voters := d.Policy.Council
	if prev := d.prev(); prev != nil {
		voters = prev.Council
	}
	packed, err := d.Policy.PackOPA()
	if err != nil {
		return Motion{}, nil, err
	}
	if len(packed) > bundle.MaxPacked {
		return Motion{}, nil, errors.New("the policy is too large for a motion")
	}
	m, err := d.motion(packed)
	if err != nil {
		return m, nil, err
	}
	text, err := m.Text(d.Previous, d.Policy)
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("the text of the motion would be larger than %d KiB; put it to the vote in parts", maxText>>10)
	}
	return m, Parts{TextName: text, BundleName: packed, SignersName: signers(voters, m.City)}, err
}

// Standing is how the vote on a motion stands.
type Standing struct {
	Needed  int
	Needs   []diff.Quorum
	Changes []diff.Change
	Members []Voter
	// Signed is how many are for the motion: what the quorum counts. Against and Abstained are
	// how many have signed that they are not.
	Signed, Against, Abstained int
	// From is when it takes effect, in the city's time.
	From time.Time
	// Problem is why the motion could not be enacted even with all signatures; nil
	// for nothing.
	Problem error
}

// Voter is one member of the roster that votes.
type Voter struct {
	ID, Name string
	Signed   bool  // for the motion
	Problem  error // with the ballot for it that is there, or with the two that are
	// Statement is what a member signed who is not for it; nil for none.
	Statement *Statement
	// Reason is what a member signed, beside the ballot for it, to say why; nil for none.
	Reason *Statement
	// Misstated is why the statement that is there is none.
	Misstated error
}

// Count says how the vote stands, ballot by ballot.
func (v Verifier) Count(parts Parts) (*Standing, error) {
	e, voters, err := v.head(parts)
	if err != nil {
		return nil, err
	}
	if err := v.policy(e); err != nil {
		return nil, err
	}
	s := &Standing{Needed: e.Needed, Changes: e.Changes, From: e.From.In(v.location(e))}
	_, s.Needs = Quorum(v.prev(), e.Policy, e.Changes)
	r := newRoster(voters)
	for _, m := range voters.Members {
		s.take(v.look(&m, r, parts, e))
	}
	s.Problem = v.timely(e)
	return s, nil
}

// look is what one member has said. Who has said two things is for the motion only when the other
// ballot is taken away: a doubtful signature enacts nothing, and hides no vote against.
func (v Verifier) look(m *decision.Member, r *roster, parts Parts, e *Enacted) Voter {
	voter := Voter{ID: m.ID, Name: m.Name}
	var late error
	if !inOffice(m, e.Created, v.location(e)) {
		late = refuse(NotInOffice, "%s was not in office on %s, when the motion was made", m.ID,
			e.Created.In(v.location(e)).Format(time.DateOnly))
	}
	var said *Statement
	if parts[BallotsName+m.ID+statedText] != nil {
		if said, voter.Misstated = r.stated(m.ID, parts, e); voter.Misstated == nil && late != nil {
			said, voter.Misstated = nil, late
		}
	}
	reason := said != nil && said.Choice == ballot.For
	if !reason {
		voter.Statement = said
	}
	if file, ok := parts[BallotsName+m.ID+".sig"]; ok {
		if _, voter.Problem = r.one(m.ID, file, e); voter.Problem == nil {
			voter.Problem = late
		}
		if voter.Problem == nil && voter.Statement != nil {
			voter.Problem = twoMinds(m.ID)
		}
		voter.Signed = voter.Problem == nil
	}
	switch {
	case reason && voter.Signed:
		voter.Reason = said
	case reason:
		voter.Misstated = unvoted(m.ID)
	}
	return voter
}

// take adds a member to the count.
func (s *Standing) take(v Voter) {
	s.Members = append(s.Members, v)
	switch {
	case v.Signed:
		s.Signed++
	case v.Statement == nil:
	case v.Statement.Choice == ballot.Against:
		s.Against++
	default:
		s.Abstained++
	}
}
