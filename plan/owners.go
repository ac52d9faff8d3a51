package plan

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
)

// MaxOwners is how many owners' parts a decision can name.
const MaxOwners = 32

// OwnerPart is one owner's part of the contribution bound of a unit and epoch.
type OwnerPart struct {
	Owner string
	// Number stands for the owner, whatever other owners there are; never 0.
	Number uint64
	// Most is in how many pairs one unit counts by what the owner's sensors send.
	Most int64
}

// OwnerParts are the owners' parts, by name; none where all share the bound.
func (s *Stream) OwnerParts() []OwnerPart { return s.parts }

// OwnerPart finds the part of an owner's sensors: its place in OwnerParts, plus one. It is 0
// where all share the bound, and ok false where the owner's sensors count nowhere.
func (s *Stream) OwnerPart(owner string) (n int, ok bool) {
	if len(s.parts) == 0 {
		return 0, true
	}
	n, ok = slices.BinarySearchFunc(s.parts, owner, func(p OwnerPart, name string) int {
		return strings.Compare(p.Owner, name)
	})
	return n + 1, ok
}

func (s *Stream) divide() {
	s.parts = nil
	for _, owner := range slices.Sorted(maps.Keys(s.Protect.ByOwner)) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(owner))
		s.parts = append(s.parts, OwnerPart{owner, max(1, h.Sum64()), s.Protect.ByOwner[owner]})
	}
}

// checkOwners refuses parts that would promise what does not hold. A unit of which two
// owners' sensors tell in one pair counts there once, so that what one of them sends may
// take the place of what the other has sent. That costs at most as much as two pairs
// (docs/release.md, "Forged identifiers"), but for a sum of values of both signs under
// Gaussian noise.
func (s *Stream) checkOwners() error {
	parts := s.Protect.ByOwner
	if len(parts) == 0 {
		return nil
	}
	if s.Unit.Field == "" {
		return errors.New("protect: by_owner needs a unit that is a field; a sensor that is the unit has one owner")
	}
	if len(parts) > MaxOwners {
		return fmt.Errorf("protect: by_owner names at most %d owners", MaxOwners)
	}
	sum := int64(0)
	for owner, n := range parts {
		if owner == "" || n < 1 || n > s.Protect.MaxContributions {
			return errors.New("protect: each part of by_owner is at least 1 and at most max_contributions")
		}
		sum += n
	}
	if sum > s.Protect.MaxContributions {
		return fmt.Errorf("protect: the parts of by_owner add up to %d, which is more than max_contributions", sum)
	}
	for _, m := range s.Measures {
		if m.Of == Sum && m.Low < 0 && m.High > 0 {
			return fmt.Errorf("measure %s: with by_owner a sum's between lies on one side of 0", m.Name)
		}
	}
	return nil
}
