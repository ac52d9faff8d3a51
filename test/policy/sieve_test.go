package policy

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"sluice/test/harness"
)

// TestTheSieve: every encoding is found, and what is no identifier is not.
func TestTheSieve(t *testing.T) {
	list := harness.Canaries(3)[:8]
	n := harness.NewSieve(list)
	mac, name := list[0], list[3]
	sum := func(h string, x string) []byte { return harness.Hashes([]byte(x))[h] }
	for what, said := range map[string]string{
		"as it is": name, "lower case": strings.ToLower(name), "upper case": strings.ToUpper(mac),
		"dashes": strings.ReplaceAll(mac, ":", "-"),
		"bare":   strings.ReplaceAll(mac, ":", ""), "dots": strings.ReplaceAll(mac, ":", "."),
		"underscores": strings.ReplaceAll(name, " ", "_"),
		"hex":         hex.EncodeToString([]byte(name)), "upper hex": strings.ToUpper(hex.EncodeToString([]byte(mac))),
		"base64":     base64.StdEncoding.EncodeToString([]byte("x" + name + "y")),
		"base64 URL": base64.RawURLEncoding.EncodeToString([]byte("xx" + mac + "y")),
		"URL":        url.QueryEscape(mac), "raw": string(must(hex.DecodeString(strings.ReplaceAll(mac, ":", "")))),
		"MD5": hex.EncodeToString(sum("MD5", mac)), "SHA-1": hex.EncodeToString(sum("SHA-1", mac)),
		"SHA-256":                    hex.EncodeToString(sum("SHA-256", name)),
		"SHA-512, cut":               hex.EncodeToString(sum("SHA-512", name))[:8],
		"BLAKE2b":                    strings.ToUpper(hex.EncodeToString(sum("BLAKE2b", mac)))[:12],
		"BLAKE2s":                    base64.StdEncoding.EncodeToString(sum("BLAKE2s", mac)),
		"SHA-384, raw":               string(sum("SHA-384", name)[:16]),
		"a hash of the bare address": hex.EncodeToString(sum("SHA-256", strings.ReplaceAll(mac, ":", "")))[:10],
	} {
		if len(n.Catch([]byte(" before="+said+" after"))) == 0 {
			t.Errorf("%s: %q is not found", what, said)
		}
	}
	if found := n.Catch([]byte(strings.Repeat("02:c4:9a:7e:00 CDFGHJ 1234 deadbeefdeadbeef ", 100))); len(found) > 0 {
		t.Errorf("found what is not there: %v", found)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
