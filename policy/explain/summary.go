package explain

import "sluice/policy/bundle"

// Summary is a decision in four lines, for who decides about many: its title, who
// is measured where, what is published, and how long, as in a motion of a format, 0 for the
// newest. Decision says the rest.
func Summary(l Lang, p *bundle.Policy, d *bundle.Decision, format int) []string {
	t := &text{l: l, p: p, d: d, s: d.Stream, format: format}
	until := t.time(Vote{})[0]
	if s := p.Suspension(d.Decision); s != nil {
		until += " " + t.suspended(s, false)
	}
	lines := []string{t.say("heading", d.Decision, l.Title(d.Title)), t.who()[0], t.measured(), until}
	for i := range lines {
		lines[i] = Plain(lines[i])
	}
	return lines
}
