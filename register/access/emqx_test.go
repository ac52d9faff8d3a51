package access

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/csv"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"sluice/register"
)

func quiet(int) {}

// TestEMQX: what is imported is what EMQX computes from a password: PBKDF2 with the salt as it is
// written, in hexadecimal. What it could not compute is named, not written.
func TestEMQX(t *testing.T) {
	p, err := ParsePasswords("f", []byte(mosquittoLine))
	if err != nil {
		t.Fatal(err)
	}
	made, err := p.Make([]string{"a", "b:1"}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	raw, others := p.EMQX()
	if len(others) != 1 || others[0] != "meter" {
		t.Errorf("%v have a hash of another form; want meter", others)
	}
	rows, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	if err != nil || len(rows) != 3 || strings.Join(rows[0], ",") != "user_id,password_hash,salt,is_superuser" {
		t.Fatalf("%v %v", rows, err)
	}
	for n, row := range rows[1:] {
		sum, err := pbkdf2.Key(sha512.New, made[n], []byte(row[2]), 101, 64)
		if err != nil || row[0] != []string{"a", "b:1"}[n] || row[1] != hex.EncodeToString(sum) || row[3] != "false" {
			t.Errorf("row %q is not what EMQX computes", row)
		}
	}
}

func TestACLForEMQX(t *testing.T) {
	reg, err := register.Parse("r", []byte("sensors:\n  - {id: a, owner: o, kind: k, zone: z, registered: "+
		"2026-01-01}\n  - {id: b, owner: o, kind: k, zone: z, registered: 2026-01-01, topic: 'other/\"b\\'}\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `%% Made from the register by sluice sensor acl; make it again when the register changes.
{allow, {username, "edge"}, all, ["city/v1/#",
  "other/\"b\\"]}.
{allow, all, publish, ["city/v1/+/${username}/up", "city/v1/+/${username}/hb"]}.
{allow, all, subscribe, ["city/v1/+/${username}/feedback"]}.
{allow, {username, "b"}, publish, ["other/\"b\\"]}.
{deny, all}.
`
	if got := string(ACLForEMQX(reg, "edge")); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestManyPasswords: ten thousand take seconds, and each is its own.
func TestManyPasswords(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds")
	}
	users := make([]string, 10_000)
	for n := range users {
		users[n] = "s-" + strings.Repeat("x", n%7) + hex.EncodeToString([]byte{byte(n >> 8), byte(n)})
	}
	p, _ := ParsePasswords("f", nil)
	began := time.Now()
	made, err := p.Make(users, quiet)
	took := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(took)
	seen := make(map[string]bool)
	for _, m := range made {
		seen[m] = true
	}
	if len(seen) != len(users) || !p.Check(users[4321], []byte(made[4321])) || took > time.Minute {
		t.Errorf("%d passwords in %s", len(seen), took)
	}
}
