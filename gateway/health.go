package gateway

import (
	"strings"
	"time"

	"sluice/brief"
	"sluice/gateway/activation"
	"sluice/gateway/admin"
	"sluice/policy/compile"
	"sluice/policy/rego"
)

// takenAway is said of a policy that was in force and is not there any more: nobody waits
// for that, as for the first one.
const takenAway = string(rego.NoPolicy) + ": the policy was taken away, so nothing flows"

// policyCheck is what is wrong with the policy, with its code; empty when
// nothing is.
func policyCheck(v *activation.View, gateway string, now time.Time) string {
	set, err := v.Current, v.Problem
	switch {
	case set == nil && v.Latest != nil && (err == nil || err.Error() == admin.NoPolicyYet):
		return takenAway
	case set == nil && err != nil:
		return err.Error()
	case set == nil:
		return admin.NoPolicyYet
	case err != nil:
		return "the policy directory cannot be used; the policy in force goes on: " + err.Error()
	case v.Withheld != "":
		return v.Withheld
	case v.Idle[set.Digest] != "":
		return v.Idle[set.Digest]
	case len(set.Streams) == 0 && len(set.Elsewhere(gateway)) > 0:
		return "" // which is said, see elsewhereNotes
	case len(set.Streams) == 0 && len(set.Decisions) == 0:
		return admin.NothingDecided
	case len(set.Streams) == 0:
		return "no decision is in force, so nothing flows"
	}
	return outOfTime(set, now)
}

// elsewhereNotes says which decisions are not run here, since all their zones are other
// gateways': that is as it should be, unless a name is wrong.
func elsewhereNotes(v *activation.View, gateway string) []string {
	set := v.Current
	if set == nil {
		return nil
	}
	list := set.Elsewhere(gateway)
	if len(list) == 0 {
		return nil
	}
	note := "run by other gateways, since zones.geojson gives all their zones to them: decisions " +
		strings.Join(list, ", ")
	if len(set.Streams) == 0 {
		note += "; nothing is left for " + gateway + ", so see whether its name is right in both places"
	}
	return []string{note}
}

// unreadNotes says that files have been saved which cannot be used.
func unreadNotes(v *activation.View) []string {
	if v.Unread == nil {
		return nil
	}
	return []string{brief.Text("register, passwords and certificates stay as they were read last, since what was " +
		"saved cannot be used: " + v.Unread.Error())}
}

// revokedNotes says that who was revoked lately may still come in.
func revokedNotes(problem string) []string {
	if problem == "" {
		return nil
	}
	return []string{brief.Text("no newer list of revoked certificates is taken: " + problem)}
}

// outOfTime says that no decision is in force today; empty while one is, and before
// the first tick of a simulated clock.
func outOfTime(set *compile.Set, now time.Time) string {
	if now.IsZero() {
		return ""
	}
	switch activation.Silence(set, true, now) {
	case "sunset":
		return "every decision is past its last day, so nothing flows; the council decides anew"
	case "not_yet":
		return admin.AllToCome
	}
	return ""
}
