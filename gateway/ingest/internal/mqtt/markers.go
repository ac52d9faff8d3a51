package mqtt

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"sluice/gateway/ingest/internal/intake"
)

// A gateway publishes markers to itself. They wait in the same queue at the broker as
// what sensors send, so a marker that comes back says that all has come that was sent
// before it, and one that does not, while a later one does, that something was lost.
//
//	marker = "marker" SP life SP kind SP number SP tag
//
// A life is one process, by a random name; the tag is HMAC-SHA256 (RFC 2104) of what
// stands before it, cut to 16 bytes, under a secret of the state directory, so that
// nobody else can say what is said here. The kinds: a mark has a number that goes up
// by one. A will is left with each connection, by its number, and is published by the
// broker when that is cut. An end is published before the gateway leaves.
//
// Mosquitto publishes no will when another client takes the session over; so a
// connection that was ended over there and whose will does not come was taken over. MQTT
// 3.1.1, section 3.1.2.5, would have the will published then, too: on a broker that does
// so, a theft between two marks is not seen.
const (
	kindMark = "mark"
	kindWill = "will"
	kindEnd  = "end"
)

// markEvery is how often a mark is sent while the connection is up, and overdue after
// which time one that the broker has taken should have come back.
const (
	markEvery = 5 * time.Second
	overdue   = 10 * time.Second
	mostOwed  = 1000 // an hour and more of a broker that brings none back
	mostOther = 1000 // marks of other lives that are known again, and lives that have ended
)

// markers are those of one life.
type markers struct {
	life   string
	secret []byte

	mu    sync.Mutex
	last  int        // the number of the latest; guarded by mu
	owed  []owedMark // what the broker has taken and has not brought back; guarded by mu
	first int        // the first of the connection at hand, or 0; guarded by mu
	back  int        // the latest that has come back; guarded by mu
	good  time.Time  // when the broker had taken that; guarded by mu
	rival time.Time  // when another life's mark came among ours; guarded by mu

	other map[[sha256.Size]byte]bool // marks of other lives, known again when they are sent again; guarded by mu
	ends  map[string]int             // lives that have ended, with the connection that was named; guarded by mu
}

type owedMark struct {
	number int
	taken  time.Time
}

func newMarkers(secret []byte) (*markers, error) {
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	return &markers{life: hex.EncodeToString(raw), secret: secret, other: make(map[[sha256.Size]byte]bool),
		ends: make(map[string]int)}, nil
}

func (m *markers) text(kind string, number int) string {
	text := fmt.Sprintf("marker %s %s %d", m.life, kind, number)
	return text + " " + m.tag(text)
}

func (m *markers) tag(text string) string {
	h := hmac.New(sha256.New, m.secret)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// next is the number of a mark that is about to be sent.
func (m *markers) next() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	return m.last
}

// begin notes the first mark of a connection; 0 where it has sent none yet. What comes before
// that was sent over an earlier connection, whose will may stand behind it in the queue.
func (m *markers) begin(number int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.first = number
}

// taken notes that the broker has acknowledged a mark: it is in the queue, or lost.
func (m *markers) taken(number int, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number > m.back && len(m.owed) < mostOwed {
		m.owed = append(m.owed, owedMark{number, now})
	}
}

// came takes a message on the marker topic into msg. What is no marker is nobody's.
func (m *markers) came(msg *intake.Message, connection int, now time.Time) {
	life, kind, number, genuine, ok := m.parse(string(msg.Payload))
	if !ok || !genuine && (kind != kindMark || life == m.life) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if kind != kindMark {
		msg.Ended, msg.EndedAt = life, number
		if at, known := m.ends[life]; known || len(m.ends) < mostOther {
			m.ends[life] = max(at, number)
		}
		return
	}
	if life != m.life {
		m.stranger(string(msg.Payload), now)
		return
	}
	if number <= m.back || number > m.last {
		return // it was sent again
	}
	msg.Since = m.good
	m.good = now // or when it was taken, which is earlier
	for len(m.owed) > 0 && m.owed[0].number <= number {
		if m.owed[0].number < number {
			msg.Skipped = true
		} else {
			m.good = m.owed[0].taken
		}
		m.owed = m.owed[1:]
	}
	m.back = number
	if m.first > 0 && number >= m.first {
		msg.Marker = connection
	}
	msg.Mark = true
}

// stranger notes another life's mark. What was left of lives before came before ours did;
// what was not acknowledged then is sent again, and says nothing new.
func (m *markers) stranger(text string, now time.Time) {
	key := sha256.Sum256([]byte(text))
	if m.other[key] {
		return
	}
	if m.back > 0 {
		m.rival = now
	}
	if len(m.other) < mostOther {
		m.other[key] = true
	}
}

// told are the lives that have ended.
func (m *markers) told() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.ends)
}

// late reports whether a mark has not come back in time.
func (m *markers) late(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.owed) > 0 && now.Sub(m.owed[0].taken) > overdue
}

// anyBack reports whether any mark of this life has come back.
func (m *markers) anyBack() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.back > 0
}

// rivalled reports whether another life was at work within the last minutes.
func (m *markers) rivalled(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.rival.IsZero() && now.Sub(m.rival) < 5*time.Minute
}

// parse reads a marker of any gateway; it is genuine when it is of this state directory.
func (m *markers) parse(text string) (life, kind string, number int, genuine, ok bool) {
	part := strings.Split(text, " ")
	if len(part) != 5 || part[0] != "marker" || len(part[1]) != 32 || strings.Trim(part[1], "0123456789abcdef") != "" {
		return "", "", 0, false, false
	}
	number, err := strconv.Atoi(part[3])
	known := part[2] == kindMark || part[2] == kindWill || part[2] == kindEnd
	genuine = hmac.Equal([]byte(part[4]), []byte(m.tag(strings.Join(part[:4], " "))))
	return part[1], part[2], number, genuine, err == nil && number >= 0 && known
}

// mark sends a mark and waits until the broker has taken it.
func (c *Client) mark(ctx context.Context, client paho.Client, lost <-chan error, number int) error {
	text := c.markers.text(kindMark, number)
	if _, err := c.ask(ctx, lost, func() paho.Token {
		return client.Publish(c.cfg.Marker, 1, false, text)
	}); err != nil {
		return err
	}
	c.markers.taken(number, time.Now())
	return nil
}

// leave says that this life ends in order.
func (c *Client) leave(client paho.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	text := c.markers.text(kindEnd, 0)
	// Where it does not get through, the next start says that something may be lost.
	_, _ = c.ask(ctx, nil, func() paho.Token { return client.Publish(c.cfg.Marker, 1, false, text) })
}
