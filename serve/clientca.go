package serve

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// askForCertificates makes the server ask for client certificates. Each connection
// gets the authorities that are in the files when it begins. One that resumes an
// earlier session sends no certificate; package crypto/tls then looks whether the
// certificates of that session are still valid and lead to one of the authorities,
// and asks anew if not.
func (s *Server) askForCertificates(now func() time.Time) error {
	files := &renewed[tls.Config]{what: "list of client authorities", files: s.cfg.ClientCAs, logger: s.cfg.Logger, now: now}
	files.note = func(*tls.Config) slog.Attr { return slog.Any("files", s.cfg.ClientCAs) }
	base := s.tls.Clone()
	base.ClientAuth = tls.VerifyClientCertIfGiven
	if s.cfg.RequireClientCertificate {
		base.ClientAuth = tls.RequireAndVerifyClientCert
	}
	files.read = func() (*tls.Config, error) {
		pool, err := readAuthorities(s.cfg.ClientCAs, now())
		if err != nil {
			return nil, fmt.Errorf("ClientCAs: %w", err)
		}
		cfg := base.Clone()
		cfg.ClientCAs = pool // Never nil, which would mean all authorities of the system.
		return cfg, nil
	}
	if err := files.load(); err != nil {
		return err
	}
	s.tls.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return files.latest(), nil }
	return nil
}

// readAuthorities reads the certificates of authorities, one of which has to be valid
// in time.
func readAuthorities(files []string, now time.Time) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	valid := false
	for i, file := range files {
		rest, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		authorities, err := parseAuthorities(rest)
		if err != nil {
			return nil, fmt.Errorf("file %d: %w", i+1, err)
		}
		for _, authority := range authorities {
			pool.AddCert(authority)
			valid = valid || !now.After(authority.NotAfter)
		}
	}
	if !valid {
		return nil, errors.New("all authorities have expired")
	}
	return pool, nil
}

// parseAuthorities is stricter than [x509.CertPool.AppendCertsFromPEM], which skips
// what it does not understand: a bundle that was cut off would be a shorter list.
func parseAuthorities(text []byte) (authorities []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("it has something else than certificates, want those of authorities and no keys")
		}
		authority, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(authorities)+1, err)
		}
		if !authority.BasicConstraintsValid || !authority.IsCA {
			return nil, fmt.Errorf("certificate %d is not that of an authority", len(authorities)+1)
		}
		authorities = append(authorities, authority)
	}
	if len(authorities) == 0 || bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, errors.New("it is not a list of PEM certificates, or not a whole one")
	}
	return authorities, nil
}
