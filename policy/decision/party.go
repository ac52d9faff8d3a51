package decision

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"unicode/utf8"

	"sluice/internal/names"

	"sluice/internal/pattern"
)

// Party is somebody whom residents can reach. Each part may be left out.
type Party struct {
	Name    string `yaml:"name" json:"name,omitempty"`
	Address string `yaml:"address" json:"address,omitempty"`
	Email   string `yaml:"email" json:"email,omitempty"`
	Phone   string `yaml:"phone" json:"phone,omitempty"`
	Web     string `yaml:"web" json:"web,omitempty"`
}

// maxContact bounds each part of a Party, in characters.
const maxContact = 200

// phonePattern is E.164 with the signs that people put between digits.
var phonePattern = pattern.New(`^\+?[0-9][0-9 ().-]{2,29}$`)

// PartyFault is a part of a Party that is not what it says. Key is name, address, email,
// phone or web.
type PartyFault struct{ Key string }

func (f *PartyFault) Error() string {
	return f.Key + " " + map[string]string{
		"email": "is no address of mail, e.g. privacy@portalba.example",
		"phone": "is no telephone number, e.g. +34 900 000 000",
		"web":   "is no address that begins with https://",
	}[f.Key]
}

// Check reports the first part that is not what it says; it names no value.
func (p Party) Check() error {
	for key, text := range map[string]string{"name": p.Name, "address": p.Address, "email": p.Email, "phone": p.Phone,
		"web": p.Web} {
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxContact || !names.Visible(text) {
			return fmt.Errorf("%s is at most %d visible characters", key, maxContact)
		}
	}
	switch {
	case p.Email != "" && !mailbox(p.Email):
		return &PartyFault{"email"}
	case p.Phone != "" && !phonePattern.MatchString(p.Phone):
		return &PartyFault{"phone"}
	case p.Web != "" && !website(p.Web):
		return &PartyFault{"web"}
	case p != (Party{}) && p.Name == "":
		return errors.New("needs a name")
	}
	return nil
}

func mailbox(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && a.Name == "" && !strings.ContainsAny(s, " \"<>")
}

// website reports whether a text is an address that a page can link to.
func website(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == "" &&
		!strings.ContainsAny(s, " \"<>\\")
}

func (c City) checkParties() error {
	for _, x := range []struct {
		key string
		Party
	}{{"responsible", c.Responsible}, {"dpo", c.DPO}, {"authority", c.Authority}, {"accessibility", c.Accessibility}} {
		if err := x.Check(); err != nil {
			return fmt.Errorf("city.%s: %w", x.key, err)
		}
	}
	return nil
}
