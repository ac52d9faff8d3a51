// Package setup writes what three servers of a cluster's engine are set up with, and what gateways need to be let in:
//
//	DIR/nats-1/   nats.conf server.crt server.key ca.crt: for /etc/nats of that machine; so for the others
//	DIR/member/   data.nk keys.nk system.nk nats-ca.crt: for the credentials of each gateway's machine
//
// The servers' certificates are signed by an authority whose key is forgotten at once: nobody can make a fourth server.
// A machine that takes the place of one of the three gets that one's directory.
package setup

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nkeys"

	"sluice/configs"
	"sluice/perm"

	"sluice/internal/pattern"
)

// years is how long certificates hold.
const years = 10

var hostPattern = pattern.New(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// Servers writes the directories for three servers, which are reached by these names or addresses. A directory that is
// there already is refused: it is what servers run with.
func Servers(dir string, hosts []string, now time.Time) error {
	if len(hosts) != 3 {
		return errors.New("name the three machines that servers run on: with fewer, one that is lost takes all with it")
	}
	for i, host := range hosts {
		if !hostPattern.MatchString(host) || slices.Contains(hosts[:i], host) {
			return errors.New("each server has a name or an address of its own, by which the others and gateways " +
				"reach it")
		}
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s is there already: it is what servers were set up with; name another directory", dir)
	}
	ca, err := newAuthority(now)
	if err != nil {
		return err
	}
	files := map[string][]byte{"member/nats-ca.crt": ca.pem}
	public := map[string]string{}
	for _, name := range []string{"data", "keys", "system"} {
		seed, user, err := newUser()
		if err != nil {
			return err
		}
		files["member/"+name+".nk"], public[name] = seed, user
	}
	for _, host := range hosts {
		crt, key, err := ca.issue(host)
		if err != nil {
			return err
		}
		files[host+"/ca.crt"], files[host+"/server.crt"], files[host+"/server.key"] = ca.pem, crt, key
		files[host+"/nats.conf"] = []byte(conf(host, hosts, public))
	}
	for name, raw := range files {
		path := filepath.Join(dir, name)
		if err := perm.Dir(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := perm.Create(path, raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// conf is configs/nats.conf for one of the servers.
func conf(host string, hosts []string, public map[string]string) string {
	var routes []string
	for _, h := range hosts {
		routes = append(routes, "nats-route://"+h+":6222")
	}
	return strings.NewReplacer(
		"SERVER: nats-1", fmt.Sprintf("SERVER: %q", host),
		`ZONE: "zone:cellar"`, fmt.Sprintf("ZONE: %q", "zone:"+host),
		`"nats-1:4222"`, fmt.Sprintf("%q", host+":4222"), `"nats-1:6222"`, fmt.Sprintf("%q", host+":6222"),
		"nats-route://nats-1:6222, nats-route://nats-2:6222, nats-route://nats-3:6222", strings.Join(routes, ", "),
		"UDATA", public["data"], "UKEYS", public["keys"], "USYS", public["system"],
	).Replace(configs.Nats)
}

// newUser makes a user's seed and its public half.
func newUser() (seed []byte, public string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return nil, "", err
	}
	defer pair.Wipe()
	if seed, err = pair.Seed(); err != nil {
		return nil, "", err
	}
	public, err = pair.PublicKey()
	return append(seed, '\n'), public, err
}

// authority signs certificates, and is kept nowhere.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	a := &authority{key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Sluice cluster"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(years, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	a.pem, err = a.sign(a.cert, &key.PublicKey)
	return a, err
}

func (a *authority) sign(c *x509.Certificate, public *ecdsa.PublicKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, public, a.key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), err
}

// issue makes a server's certificate, with which it shows itself to gateways and to the other servers.
func (a *authority) issue(host string) (crt, key []byte, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host},
		NotBefore: a.cert.NotBefore, NotAfter: a.cert.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		c.IPAddresses = []net.IP{ip}
	} else {
		c.DNSNames = []string{host}
	}
	if crt, err = a.sign(c, &own.PublicKey); err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	return crt, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
