package roster

import (
	"fmt"
	"reflect"
	"time"

	"sluice/internal/civil"
)

// remembered is for how many days a front that has left stays in rosters: an epoch that it has committed to lasts for
// 400 at most, and its keys for as long again.
const remembered = 800

// Follows refuses a roster that cannot come after another one, at a time: an older one, another one of the same
// version, and one that would take back what a front has committed to. An epoch would have a second secret then, and
// whoever was counted under the first could count again.
func (r *Roster) Follows(before *Roster, now time.Time) error {
	if r.Version < before.Version || r.Version == before.Version && !reflect.DeepEqual(r, before) {
		return fmt.Errorf("it is another one, of version %d, and there was one of version %d; give it a larger "+
			"version, and sign it again", r.Version, before.Version)
	}
	if r.Version == before.Version {
		return nil
	}
	year, month, day := now.UTC().Date()
	today := civil.Date{Year: year, Month: int(month), Day: day}
	for _, was := range before.Members {
		m, there := r.find(func(m Member) bool { return m.Key == was.Key })
		least := was.FrontUntil
		if was.May(Front) {
			least = today
		}
		switch {
		case least == civil.Date{}, m.May(Front):
		case !there && least.End(time.UTC).AddDate(0, 0, remembered).Before(now):
		case !there || m.FrontUntil == civil.Date{} || m.FrontUntil.End(time.UTC).Before(least.End(time.UTC)):
			return fmt.Errorf("%s was a front with this key, and what it has committed to must hold: let it stay, "+
				"with roles: [] or others and front_until: %s or later, and sign the roster again", was.Name, least)
		}
	}
	return nil
}
