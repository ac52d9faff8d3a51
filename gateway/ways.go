package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"

	"sluice/gateway/ingest"
	"sluice/register/access"
)

// listen makes the listener's part of the configuration ready.
func (c *Config) listen() (ingest.Listen, error) {
	l := ingest.Listen{Addr: c.Listen.MQTT}
	if c.Listen.Passwords != "" {
		raw, err := os.ReadFile(c.Listen.Passwords)
		if err != nil {
			return l, refuse("listen: passwords: %w; write the file with sluice sensor acl", err)
		}
		if l.Passwords, err = access.ParsePasswords(c.Listen.Passwords, raw); err != nil {
			return l, refuse("%w", err)
		}
	}
	t := c.Listen.TLS
	if t == nil {
		return l, nil
	}
	own, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return l, refuse("listen: tls: %w", err)
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

// broker makes the broker's part of the configuration ready; nil for no broker.
func (c *Config) broker() (*ingest.Broker, error) {
	m := c.MQTT
	if m == nil {
		return nil, nil
	}
	b := &ingest.Broker{URL: m.Broker, ClientID: m.ClientID, Username: m.Username, TLS: &tls.Config{MinVersion: tls.VersionTLS12}}
	if m.PasswordFile != "" {
		raw, err := os.ReadFile(m.PasswordFile)
		if err != nil {
			return nil, refuse("mqtt: password_file: %w", err)
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
		own, err := tls.LoadX509KeyPair(m.Cert, m.Key)
		if err != nil {
			return nil, refuse("mqtt: %w", err)
		}
		b.TLS.Certificates = []tls.Certificate{own}
	}
	return b, nil
}

func authorities(path string) (*x509.CertPool, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, refuse("certificates: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(raw) {
		return nil, refuse("%s holds no certificate in PEM", path)
	}
	return pool, nil
}
