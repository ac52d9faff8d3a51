package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"sluice/gateway/ingest"
	"sluice/gateway/revoked"
	"sluice/perm"
	"sluice/register"
	"sluice/register/access"
)

// Listener makes the listener's part of the configuration ready.
func (c *Config) Listener() (ingest.Listen, error) {
	l := ingest.Listen{Addr: c.Listen.MQTT, WebSocket: c.Listen.WebSocket}
	if c.Listen.Passwords != "" {
		raw, err := perm.Read(c.Listen.Passwords, perm.Secret)
		if errors.Is(err, fs.ErrNotExist) {
			return l, Refuse("listen: passwords: %w; write the file with sluice sensor acl", err)
		}
		if err != nil {
			return l, Refuse("listen: passwords: %w", err)
		}
		if l.Passwords, err = access.ParsePasswords(c.Listen.Passwords, raw); err != nil {
			return l, Refuse("%w", err)
		}
	}
	t := c.Listen.TLS
	if t == nil {
		return l, nil
	}
	own, err := pair(t.Cert, t.Key)
	if err != nil {
		return l, Refuse("listen: tls: %w", err)
	}
	l.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	if t.ClientCA == "" {
		return l, nil
	}
	if l.TLS.ClientCAs, err = authorities(t.ClientCA); err != nil {
		return l, err
	}
	l.TLS.ClientAuth = tls.RequireAndVerifyClientCert
	if l.Passwords != nil {
		l.TLS.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return l, nil
}

// Revoked opens the list of client certificates that hold no more; nil for none. It looks after
// itself from then on, so that no other file keeps a sensor from being turned out.
func (c *Config) Revoked() (*revoked.List, error) {
	t := c.Listen.TLS
	if t == nil || t.CRL == "" {
		return nil, nil
	}
	l, err := revoked.Open(t.CRL, func() ([]*x509.Certificate, error) { return certificates(t.ClientCA) }, time.Now)
	if err != nil {
		return nil, Refuse("listen: tls: crl: %w", err)
	}
	return l, nil
}

// Broker makes the broker's part of the configuration ready; nil for no broker.
func (c *Config) Broker() (*ingest.Broker, error) {
	m := c.MQTT
	if m == nil {
		return nil, nil
	}
	b := &ingest.Broker{URL: m.Broker, ClientID: m.ClientID, Username: m.Username,
		TLS: &tls.Config{MinVersion: tls.VersionTLS12}}
	if c.Cluster != nil {
		b.Group, b.Share = "sluice-"+c.Gateway, m.Share == nil || *m.Share
	}
	if m.PasswordFile != "" {
		raw, err := perm.Read(m.PasswordFile, perm.Secret)
		if err != nil {
			return nil, Refuse("mqtt: password_file: %w", err)
		}
		b.Password, _, _ = strings.Cut(string(raw), "\n")
		b.Password = strings.TrimSuffix(b.Password, "\r")
	}
	var err error
	if m.CA != "" {
		if b.TLS.RootCAs, err = authorities(m.CA); err != nil {
			return nil, err
		}
	}
	if m.Cert != "" {
		own, err := pair(m.Cert, m.Key)
		if err != nil {
			return nil, Refuse("mqtt: %w", err)
		}
		b.TLS.Certificates = []tls.Certificate{own}
	}
	return b, nil
}

// pair reads a certificate, which is public, and its key, which is not.
func pair(cert, key string) (tls.Certificate, error) {
	public, err := perm.Read(cert, perm.Trusted)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := perm.Read(key, perm.Secret)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(public, private)
}

func authorities(path string) (*x509.CertPool, error) {
	list, err := certificates(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range list {
		pool.AddCert(c)
	}
	return pool, nil
}

// certificates reads the certificates of a file. What else is in it is passed over, as others do.
func certificates(path string) (list []*x509.Certificate, err error) {
	raw, err := perm.Read(path, perm.Trusted)
	if err != nil {
		return nil, Refuse("certificates: %w", err)
	}
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil && block.Type == "CERTIFICATE" {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, Refuse("%s holds no certificate in PEM", path)
	}
	return list, nil
}

// ReadRegister reads the register, a file or a directory of them, as long as nobody
// else can write it: who writes the register says what is listened to.
func (c *Config) ReadRegister() (*register.Register, error) {
	path := c.Register
	if err := perm.Check(path, perm.Trusted); err != nil {
		return nil, err
	}
	own := register.PresetsDir(path)
	if _, err := os.Stat(own); err == nil {
		if err := perm.Check(own, perm.Trusted); err != nil {
			return nil, err
		}
	}
	return register.Load(path, func(file string) ([]byte, error) { return perm.Read(file, perm.Trusted) })
}
