package decision

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"sluice/internal/civil"
)

// Consultation is a page on which the public was asked about a decision, or on which the council's
// session has its record. Both are elsewhere: a decision links to them and is the same without them.
type Consultation struct {
	// Kind is one of ConsultationKinds.
	Kind string `yaml:"kind" json:"kind"`
	// Link is the page's address; see CheckLink.
	Link string `yaml:"link" json:"link"`
	// From and Until are its first and last day, where they are said.
	From  civil.Date `yaml:"from" json:"from,omitzero"`
	Until civil.Date `yaml:"until" json:"until,omitzero"`
}

// ConsultationKinds are a process on a Decidim platform, the record of the council's session, and
// any other page.
var ConsultationKinds = []string{"decidim", "session", "other"}

// Bounds of a decision's consultations.
const (
	MaxConsultations = 4
	MaxLink          = 500 // bytes
)

// CheckLink reports why an address cannot be linked to from a public page: it is one of https with
// a host, without name and password, and all of it can be seen: letters of other alphabets stand in
// it as browsers send them (RFC 3986 section 2.1, RFC 3492).
func CheckLink(address string) error {
	hidden := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }
	u, err := url.Parse(address)
	switch {
	case len(address) > MaxLink:
		return fmt.Errorf("has a link of more than %d characters", MaxLink)
	case strings.ContainsFunc(address, hidden):
		return errors.New("has a link with characters that no address has: copy it from a browser's address bar")
	case err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil:
		return errors.New("needs a link of the form https://HOST/PAGE, without name and password")
	}
	return nil
}

// checkConsultation reports what no page could show.
func (d *Document) checkConsultation() error {
	if len(d.Consultation) > MaxConsultations {
		return fmt.Errorf("consultation: more than %d", MaxConsultations)
	}
	for i, c := range d.Consultation {
		err := CheckLink(c.Link)
		switch {
		case !slices.Contains(ConsultationKinds, c.Kind):
			err = fmt.Errorf("needs a kind: %s", strings.Join(ConsultationKinds, ", "))
		case err == nil && c.Backwards():
			err = errors.New("ends before it begins")
		}
		if err != nil {
			return fmt.Errorf("consultation %d %w", i+1, err)
		}
	}
	return nil
}

// Backwards reports whether it ends before it begins.
func (c Consultation) Backwards() bool {
	return c.From != (civil.Date{}) && c.Until != (civil.Date{}) && c.Until.String() < c.From.String()
}
