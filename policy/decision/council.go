package decision

import (
	"fmt"

	"sluice/internal/civil"
	"sluice/internal/yamldoc"
	"sluice/policy/ballot"
)

// MaxMembers bounds a roster.
const MaxMembers = 1000

// Council is the roster: who may vote, with which keys.
type Council struct {
	Version int      `yaml:"version" json:"version"`
	Members []Member `yaml:"members" json:"members"`
	// Revoked are keys that are lost or stolen: whatever they sign is refused.
	Revoked []ballot.Key `yaml:"revoked" json:"revoked"`
}

// Member is one councillor; keys are written one line each, as in
// id_ed25519.pub. From and Until are the first and last day of office.
type Member struct {
	ID    string       `yaml:"id" json:"id"`
	Name  string       `yaml:"name" json:"name"`
	Keys  []ballot.Key `yaml:"keys" json:"keys"`
	From  civil.Date   `yaml:"from" json:"from"`
	Until civil.Date   `yaml:"until" json:"until"`
}

// ParseCouncil reads council.yaml.
func ParseCouncil(name string, raw []byte) (*Council, error) {
	var c Council
	if err := yamldoc.Decode(name, raw, &c); err != nil {
		return nil, err
	}
	if len(c.Members) > MaxMembers {
		return nil, fmt.Errorf("%s: more than %d members", name, MaxMembers)
	}
	ids, keys := map[string]bool{}, map[ballot.Key]string{}
	for _, m := range c.Members {
		if !idPattern.MatchString(m.ID) || ids[m.ID] {
			return nil, fmt.Errorf("%s: each member needs an id of its own, of small letters, digits, - and _", name)
		}
		ids[m.ID] = true
		if len(m.Keys) == 0 {
			return nil, fmt.Errorf("%s: member %s needs a key: the line in id_ed25519.pub", name, m.ID)
		}
		for _, k := range m.Keys {
			if other := keys[k]; other != "" {
				return nil, fmt.Errorf("%s: members %s and %s have the same key; every key belongs to one person", name,
					other, m.ID)
			}
			keys[k] = m.ID
		}
	}
	return &c, nil
}
