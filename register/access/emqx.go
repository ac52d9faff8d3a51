package access

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/register"
)

// EMQX is the passwords as EMQX 5 imports them into its built-in database: CSV of user_id,
// password_hash, salt and is_superuser (docs.emqx.com, "Use HTTP API to Manage User Data"), for the
// algorithm
//
//	{name = pbkdf2, mac_fun = sha512, iterations = 101, dk_length = 64}
//
// whose hash is hexadecimal and whose salt is the bytes of the text (emqx_passwd.erl). Others are
// users whose hash has no such form: other rounds, or a salt that is no text.
func (p *Passwords) EMQX() (raw []byte, others []string) {
	b := bytes.NewBufferString("user_id,password_hash,salt,is_superuser\n")
	for _, user := range slices.Sorted(maps.Keys(p.hashes)) {
		h, err := split(p.hashes[user])
		if err != nil || h.rounds != rounds || !isText(h.salt) {
			others = append(others, user)
			continue
		}
		fmt.Fprintf(b, "%s,%s,%s,false\n", user, hex.EncodeToString(h.hash), h.salt)
	}
	return b.Bytes(), others
}

// isText reports whether a salt is letters, digits, - and _, as ours are.
func isText(salt []byte) bool {
	return len(salt) > 0 && !bytes.ContainsFunc(salt, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// ACLForEMQX is EMQX's access list (docs.emqx.com, "Use ACL File"): what ACL says, by placeholders
// where sensors use the standard topics, so that ten thousand of them cost no message ten thousand
// comparisons. A sensor could then write below another owner's name; the gateway knows no such sensor,
// and counts it as E001.
func ACLForEMQX(reg *register.Register, gateway string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%%% %s make it again when the register changes.\n", strings.TrimPrefix(Made, "# "))
	topics := []string{erlang("city/v1/#")}
	for _, filter := range reg.Filters() {
		topics = append(topics, erlang(filter))
	}
	commands := reg.Commands()
	if commands != "" {
		topics = append(topics, erlang(commands))
	}
	fmt.Fprintf(&b, "{allow, {username, %s}, all, [%s]}.\n", erlang(gateway), strings.Join(topics, ",\n  "))
	fmt.Fprintf(&b, "{allow, all, publish, [%s, %s]}.\n", erlang("city/v1/+/${username}/up"),
		erlang("city/v1/+/${username}/hb"))
	fmt.Fprintf(&b, "{allow, all, subscribe, [%s]}.\n", erlang("city/v1/+/${username}/feedback"))
	for n := range reg.Sensors {
		if s := &reg.Sensors[n]; s.Topic != "" {
			fmt.Fprintf(&b, "{allow, {username, %s}, publish, [%s]}.\n", erlang(s.ID), erlang(s.Filter()))
		}
	}
	systems := reg.Systems()
	for _, owner := range slices.Sorted(maps.Keys(systems)) {
		for _, filter := range systems[owner] {
			fmt.Fprintf(&b, "{allow, {username, %s}, publish, [%s]}.\n", erlang(owner), erlang(filter))
		}
		fmt.Fprintf(&b, "{allow, {username, %s}, subscribe, [%s]}.\n", erlang(owner),
			erlang(register.FeedbackOf(owner)))
		if commanded(systems[owner]) {
			fmt.Fprintf(&b, "{allow, {username, %s}, subscribe, [%s]}.\n", erlang(owner), erlang(commands))
		}
	}
	b.WriteString("{deny, all}.\n")
	return b.Bytes()
}

// erlang writes a text as Erlang does.
func erlang(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
