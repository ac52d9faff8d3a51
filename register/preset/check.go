package preset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/instant"
	"sluice/internal/names"
)

// check finds all that is wrong with a preset. What would have no effect is as wrong as what cannot be: whoever wrote
// it believes that it has.
func (p *Preset) check() (all mistakes) {
	if !names.Valid(p.ID) {
		all.add(wrong("preset needs a name: "+names.Form, "preset"))
	}
	for _, line := range []struct{ key, text string }{{"about", p.About}, {"advice", p.Advice}} {
		if len(line.text) > maxAbout || strings.ContainsAny(line.text, "\r\n") {
			all.add(wrong(fmt.Sprintf("about and advice are one line of at most %d bytes each", maxAbout), line.key))
		}
	}
	if !slices.Contains(formats, string(p.Format)) {
		all.add(wrong("format is one of "+strings.Join(formats, ", "), "format"))
	}
	p.checkTopics(&all)
	p.checkPointers(&all)
	p.checkTimes(&all)
	p.checkIdle(&all)
	switch {
	case p.Pairs != nil && p.Root != "":
		all.add(wrong("pairs stand in place of root; take root out", "root"))
	case len(p.Each) > MaxNested:
		all.add(wrong(fmt.Sprintf("each has at most %d lists, one inside the other", MaxNested), "each"))
	case p.Number != "" && p.Number != "text":
		all.add(wrong("number is text where all numbers come as texts, and left out otherwise", "number"))
	}
	if p.Seq.Absent != nil && *p.Seq.Absent < 0 {
		all.add(wrong("seq: absent is the whole number that is meant where there is none at pointer", "seq", "absent"))
	}
	all.add(under(p.checkTypes(), "type", "type"))
	return all
}

func (p *Preset) checkTimes(all *mistakes) {
	if len(p.TS) > MaxTimes {
		all.add(wrong(fmt.Sprintf("ts has more than %d places", MaxTimes), "ts"))
	}
	for i := range p.TS {
		t, at := &p.TS[i], strconv.Itoa(i)
		if _, err := Path(t.Pointer); err != nil {
			all.add(under(err, "ts", "ts", at, "pointer"))
			continue
		}
		form, err := instant.Parse(t.As, t.Zone)
		if err != nil {
			all.add(under(err, "ts: "+t.Pointer, "ts", at, "as"))
		}
		t.Form = form
		if slices.ContainsFunc(p.TS[:i], func(o Time) bool { return o.Pointer == t.Pointer && o.As == t.As }) {
			all.add(wrong("ts: "+t.Pointer+" as "+t.As+" is there twice, and the first counts; take one out", "ts", at))
		}
	}
}

func (p *Preset) checkTopics(all *mistakes) {
	if len(p.Topics) > maxTopics {
		all.add(wrong(fmt.Sprintf("topics has more than %d patterns", maxTopics), "topics"))
		return
	}
	reads := false
	for i := range p.Topics {
		t := &p.Topics[i]
		reads = reads || t.Role == Reading
		err := p.checkTopic(t)
		if err == nil {
			err = p.reached(i)
		}
		all.add(under(err, "topics: "+t.Pattern, "topics", strconv.Itoa(i)))
	}
	if len(p.Topics) > 0 && !reads {
		all.add(wrong("topics: none is of type reading, so that nothing would be read", "topics"))
	}
}

func (p *Preset) checkTopic(t *Topic) (err error) {
	switch t.Role {
	case Reading, Heartbeat, Ignore:
	case Birth, Death:
		if p.Format != Sparkplug {
			return wrong("birth and death are Sparkplug's", "type")
		}
	default:
		return wrong("type is reading, heartbeat or ignore", "type")
	}
	if t.pattern, err = ParsePattern(t.Pattern); err != nil {
		return under(err, "pattern", "pattern")
	}
	if err := t.checkBeat(); err != nil {
		return err
	}
	switch named := p.Device != "" || p.SenML != nil; {
	case t.Role == Ignore:
		return nil
	case t.Role == Heartbeat && !t.pattern.Identifies(): // nothing else of a heartbeat says it
		return wrong("a heartbeat says by {device} whose it is; where a message says itself that it is one, see type",
			"pattern")
	case !t.pattern.Identifies() && !named:
		return wrong("it captures no {device}, and device names no place in the message; one of them says whose the "+
			"message is", "pattern")
	case t.pattern.NamesField() && p.Format != Value:
		return wrong("{field} is the name of a bare value, whose format is value; call this level otherwise", "pattern")
	}
	return nil
}

// reached refuses a topic none of whose messages comes to it, since an earlier one takes them all.
func (p *Preset) reached(i int) error {
	for n := range i {
		if p.Topics[n].pattern.covers(&p.Topics[i].pattern) {
			return wrong("all its messages are of "+p.Topics[n].Pattern+", which stands before it; put this one "+
				"first, or take it out", "pattern")
		}
	}
	return nil
}

// checkBeat looks at what only heartbeats have.
func (t *Topic) checkBeat() error {
	switch {
	case t.Role != Heartbeat && (t.When != nil || !t.Every.IsZero()):
		return wrong("when and every are of a heartbeat; of readings and others see type", "type")
	case !t.Every.IsZero() && !beats(t.Every.Nominal()):
		return wrong(howOften, "every")
	case t.When == nil:
		return nil
	case len(t.When.Is) == 0 || len(t.When.Is) > maxWords:
		return wrong("when: is lists what a message says that is a heartbeat: {pointer: /state, is: [online]}", "when")
	}
	if _, err := Path(t.When.Pointer); t.When.Pointer != "" && err != nil {
		return under(err, "when: pointer", "when", "pointer")
	}
	return nil
}

const howOften = "every is how often a heartbeat comes, from PT1M to P1D"

func beats(every time.Duration) bool { return every >= time.Minute && every <= 24*time.Hour }

func (p *Preset) checkPointers(all *mistakes) {
	for _, c := range []struct {
		key, pointer string
		path         []string
	}{
		{"device", p.Device, []string{"device"}}, {"seq", p.Seq.Pointer, []string{"seq"}},
		{"boot", p.Boot, []string{"boot"}}, {"root", p.Root, []string{"root"}},
	} {
		if _, err := Path(c.pointer); c.pointer != "" && err != nil {
			all.add(under(err, c.key, c.path...))
		}
	}
	for _, pointer := range p.Each {
		if _, err := Path(pointer); err != nil {
			all.add(under(err, "each", "each"))
		}
	}
	if p.Columns != nil {
		all.add(under(p.checkColumns(), "columns", "columns"))
	}
	all.add(under(p.checkBytes(), "bytes", "bytes"))
	all.add(under(p.checkNamed(), "senml", "senml"))
	if p.Pairs != nil {
		if _, err := Path(p.Pairs.List); err != nil {
			all.add(under(err, "pairs: list", "pairs", "list"))
		}
		if p.Pairs.Name == "" || p.Pairs.Value == "" || p.Pairs.Name == p.Pairs.Value {
			all.add(wrong("pairs: name and value are the two keys of each element", "pairs"))
		}
	}
}

func (p *Preset) checkColumns() error {
	_, err := Path(p.Columns.Names)
	_, rowsErr := Path(p.Columns.Rows)
	switch {
	case err != nil || rowsErr != nil:
		return wrong("names and rows are JSON pointers to two lists: {names: /components, rows: /dataArray}")
	case p.Columns.Names == p.Columns.Rows:
		return wrong("names and rows are two lists, not one")
	case p.Format != JSON && p.Format != CBOR:
		return wrong("a table is in a message whose format is json or cbor")
	case len(p.Each) != 1 || p.Each[0] != p.Columns.Rows:
		return wrong("each row is a reading: write each: " + p.Columns.Rows)
	}
	return nil
}

func (p *Preset) checkTypes() error {
	t := p.Types
	if t == nil {
		return nil
	}
	if _, err := Path(t.Pointer); err != nil {
		return under(err, "pointer", "pointer")
	}
	seen := map[string]bool{}
	for _, word := range slices.Concat(t.Reading, t.Heartbeat, t.Ignore) {
		if seen[word] {
			return wrong("each word stands once, under reading, heartbeat or ignore")
		}
		seen[word] = true
	}
	if len(t.Reading) == 0 || len(seen) > maxWords {
		return wrong(fmt.Sprintf("reading lists the words of messages that are readings; all lists have %d words at "+
			"most", maxWords))
	}
	return nil
}
