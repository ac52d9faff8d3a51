package studio

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/brief"
	"sluice/policy/bundle"
	"sluice/policy/check"
	"sluice/policy/council"
	"sluice/policy/diff"
	"sluice/policy/explain"
	"sluice/policy/workspace"
)

// sentence is a finding in words.
type sentence struct {
	Line       int
	What, Mend string
	Warning    bool
}

// inWords are findings in a language.
func inWords(list []check.Finding, l explain.Lang) (out []sentence) {
	for _, f := range list {
		what, mend := f.Text(l)
		out = append(out, sentence{f.Line, capital(brief.Report(what)), brief.Report(mend), f.Warning()})
	}
	return out
}

// capital is a text that begins as a sentence does, unless it begins with a function or a key.
func capital(text string) string {
	if first, _, _ := strings.Cut(text, " "); strings.ContainsAny(first, "()._=") {
		return text
	}
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[n:]
}

// spoken is the text of a decision in one language.
type spoken struct {
	Lang, Heading string
	Parts         []part
}

// part is a section of it.
type part struct {
	Title string
	Lines []string
}

// texts are what residents will read, in each language of the city; none where it cannot be made.
func texts(p *bundle.Policy, id string, chain []*council.Enacted) (list []spoken) {
	d := p.Decision(id)
	if d == nil {
		return nil
	}
	vote := explain.Vote{}
	if e := workspace.Author(chain, id, d.YAML); e != nil {
		vote = explain.Vote{Motion: e.ID, Version: e.Version, Members: e.Members()}
	}
	for _, code := range p.Charter.City.Languages {
		l, ours := explain.Understand(code)
		if !ours {
			continue
		}
		text, err := explain.Decision(l, p, d, vote)
		if err != nil {
			return nil
		}
		list = append(list, parted(l, text))
	}
	return list
}

// parted reads a text in the form that package explain promises.
func parted(l explain.Lang, text string) spoken {
	out := spoken{Lang: l.String()}
	heading, rest, _ := strings.Cut(text, "\n")
	out.Heading = heading
	lines := strings.Split(strings.TrimSpace(rest), "\n")
	for i, line := range lines {
		switch {
		case line == "" || strings.Trim(line, "-") == "":
		case i+1 < len(lines) && lines[i+1] != "" && strings.Trim(lines[i+1], "-") == "":
			out.Parts = append(out.Parts, part{Title: line})
		case len(out.Parts) > 0:
			last := &out.Parts[len(out.Parts)-1]
			last.Lines = append(last.Lines, line)
		}
	}
	return out
}

// changed is a difference to what is in force.
type changed struct{ Mark, Word, Text string }

// changes are those of a decision, the weaker first.
func changes(inForce, draft *bundle.Policy, id string, l explain.Lang) (list []changed) {
	for _, c := range diff.Compare(diff.Before{Policy: inForce}, draft) {
		if c.About == id {
			list = append(list, changed{c.Mark.String(), c.Mark.Word(l), c.Words(l)})
		}
	}
	return list
}
