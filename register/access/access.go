// Package access says who may connect as what: password files, which the
// gateway's own listener reads as well as mosquitto, and brokers' access
// lists. It is made from the register; passwords are never in the register.
//
// A password file has one line for each sensor, by the sensor's id:
//
//	rambla-1:$7$101$SALT$HASH
//
// with PBKDF2-HMAC-SHA-512 (RFC 8018), 101 rounds, a salt of 12 bytes and a
// hash of 64, both in base64: the format of mosquitto 2 (mosquitto_passwd(1)).
// EMQX 5 takes the same hashes in a form of its own.
// Few rounds are enough for the passwords that this package makes: they have
// 160 random bits.
package access

import (
	"bufio"
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"sluice/register"
)

const (
	rounds    = 101
	maxRounds = 1_000_000
	saltSize  = 12
	hashSize  = 64
)

// Passwords are hashed passwords by user name.
type Passwords struct{ hashes map[string]string }

// ParsePasswords reads a password file; the file's name is used in errors only,
// which never quote a line.
func ParsePasswords(file string, raw []byte) (*Passwords, error) {
	p := &Passwords{hashes: make(map[string]string)}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, hash, ok := strings.Cut(line, ":")
		if !ok || user == "" {
			return nil,
				fmt.Errorf("%s, line %d: not USER:HASH; write the file with sluice sensor acl or mosquitto_passwd",
					file, n)
		}
		if _, err := split(hash); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, n, err)
		}
		if _, twice := p.hashes[user]; twice {
			return nil, fmt.Errorf("%s, line %d: this user is there twice", file, n)
		}
		p.hashes[user] = hash
	}
	if lines.Err() != nil {
		return nil, fmt.Errorf("%s: a line is too long", file)
	}
	return p, nil
}

// parts of one hash.
type parts struct {
	rounds     int
	salt, hash []byte
}

var errHash = errors.New(
	"not a hash of mosquitto 2 ($7$); set the password again with sluice sensor acl or mosquitto_passwd")

func split(hash string) (parts, error) {
	f := strings.Split(hash, "$")
	if len(f) != 5 || f[0] != "" || f[1] != "7" {
		return parts{}, errHash
	}
	n, err := strconv.Atoi(f[2])
	salt, saltErr := base64.StdEncoding.DecodeString(f[3])
	sum, sumErr := base64.StdEncoding.DecodeString(f[4])
	if err != nil || saltErr != nil || sumErr != nil || n < 1 || n > maxRounds || len(sum) != hashSize {
		return parts{}, errHash
	}
	return parts{n, salt, sum}, nil
}

// nobody is a hash that is looked at for users that are not there, so that an answer
// takes as long for them; it is made once, since making it takes as long again.
var nobody = sync.OnceValue(func() string { return line(nil, make([]byte, saltSize)) })

// Check reports whether this is the user's password.
func (p *Passwords) Check(user string, password []byte) bool {
	hash, known := p.hashes[user]
	if !known {
		hash = nobody()
	}
	want, err := split(hash)
	if err != nil {
		return false
	}
	got, err := pbkdf2.Key(sha512.New, string(password), want.salt, want.rounds, hashSize)
	return err == nil && subtle.ConstantTimeCompare(got, want.hash) == 1 && known
}

// Has reports whether the user has a password.
func (p *Passwords) Has(user string) bool { _, ok := p.hashes[user]; return ok }

// Number is how many users there are; none where there are no passwords.
func (p *Passwords) Number() int {
	if p == nil {
		return 0
	}
	return len(p.hashes)
}

// Same reports whether a user has the same password in both, or none.
func (p *Passwords) Same(other *Passwords, user string) bool {
	return p.hashes[user] == other.hashes[user]
}

// Make gives users new random passwords, on all processors, and returns these in the users' order;
// only their hashes are kept. Progress is told how many are made, by
// several goroutines.
func (p *Passwords) Make(users []string, progress func(done int)) ([]string, error) {
	const step = 64
	passwords, hashes := make([]string, len(users)), make([]string, len(users))
	var next, done atomic.Int64
	var all errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() error {
			for from := int(next.Add(step)) - step; from < len(users); from = int(next.Add(step)) - step {
				for n := from; n < min(from+step, len(users)); n++ {
					var err error
					if passwords[n], hashes[n], err = fresh(); err != nil {
						return err
					}
				}
				progress(int(done.Add(int64(min(step, len(users)-from)))))
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return nil, err
	}
	for n, user := range users {
		p.hashes[user] = hashes[n]
	}
	return passwords, nil
}

// fresh makes a password and its hash. The salt is text, since EMQX takes no other.
func fresh() (password, hash string, err error) {
	secret, salt := make([]byte, 20), make([]byte, saltSize/4*3)
	if _, err := rand.Read(secret); err != nil {
		return "", "", err
	}
	if _, err := rand.Read(salt); err != nil {
		return "", "", err
	}
	password = strings.ToLower(base32.StdEncoding.EncodeToString(secret))
	return password, line([]byte(password), []byte(base64.RawURLEncoding.EncodeToString(salt))), nil
}

// Retain forgets all users but these, and returns those that it forgot, sorted.
func (p *Passwords) Retain(users map[string]bool) (gone []string) {
	for _, user := range slices.Sorted(maps.Keys(p.hashes)) {
		if !users[user] {
			gone = append(gone, user)
			delete(p.hashes, user)
		}
	}
	return gone
}

func line(password, salt []byte) string {
	sum, err := pbkdf2.Key(sha512.New, string(password), salt, rounds, hashSize)
	if err != nil {
		panic("access: PBKDF2 refuses its own parameters")
	}
	return fmt.Sprintf("$7$%d$%s$%s", rounds, base64.StdEncoding.EncodeToString(salt),
		base64.StdEncoding.EncodeToString(sum))
}

// File is the password file, sorted by user.
func (p *Passwords) File() []byte {
	var b bytes.Buffer
	for _, user := range slices.Sorted(maps.Keys(p.hashes)) {
		fmt.Fprintf(&b, "%s:%s\n", user, p.hashes[user])
	}
	return b.Bytes()
}

// commanded reports whether an owner that writes there has edge nodes of Sparkplug, which read commands.
func commanded(filters []string) bool {
	return slices.ContainsFunc(filters, func(f string) bool { return strings.HasPrefix(f, "spBv1.0/") })
}

// Made begins each access list of ours.
const Made = "# Made from the register by sluice sensor acl;"

// ACL is mosquitto's access list (mosquitto.conf(5), acl_file): each sensor may
// write its own readings and heartbeats and read its own feedback; an owner may write what presets
// have for its sensors, and read their feedback; the gateway's user may do the rest; nobody else anything.
func ACL(reg *register.Register, gateway string) []byte {
	var b bytes.Buffer
	b.WriteString(Made + " make it again when the register changes.\n\n")
	fmt.Fprintf(&b, "user %s\ntopic readwrite city/v1/#\n", gateway)
	for _, filter := range reg.Filters() {
		fmt.Fprintf(&b, "topic read %s\n", filter)
	}
	commands := reg.Commands()
	if commands != "" {
		fmt.Fprintf(&b, "topic write %s\n", commands)
	}
	// How many messages the broker has dropped, and that this is new.
	b.WriteString("topic read $SYS/broker/publish/messages/dropped\ntopic read $SYS/broker/uptime\n")
	for n := range reg.Sensors {
		s := &reg.Sensors[n]
		fmt.Fprintf(&b, "\nuser %s\n", s.ID)
		if filter := s.Filter(); filter != "" {
			fmt.Fprintf(&b, "topic write %s\n", filter)
		}
		fmt.Fprintf(&b, "topic write %s\ntopic read %s\n", s.HeartbeatTopic(), s.FeedbackTopic())
	}
	systems := reg.Systems()
	for _, owner := range slices.Sorted(maps.Keys(systems)) {
		fmt.Fprintf(&b, "\nuser %s\n", owner)
		for _, filter := range systems[owner] {
			fmt.Fprintf(&b, "topic write %s\n", filter)
		}
		fmt.Fprintf(&b, "topic read %s\n", register.FeedbackOf(owner))
		if commanded(systems[owner]) {
			fmt.Fprintf(&b, "topic read %s\n", commands)
		}
	}
	return b.Bytes()
}
