package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// setUpTLS decides on versions, suites and the source of the certificate.
func (s *Server) setUpTLS(now func() time.Time) error {
	var certificate func() *tls.Certificate
	var mistakes error
	if s.cfg.TLSCert == "" {
		dev, err := openDevelopment(s.cfg.DataDir, s.cfg.Logger, now)
		if err != nil {
			return fmt.Errorf("development certificate: %w", err)
		}
		s.devCA, certificate = dev.authorityFile(), dev.certificate
	} else {
		var files *renewed[tls.Certificate]
		files, mistakes = s.certificateFiles(now)
		certificate = files.latest
	}
	s.tls = &tls.Config{
		Time:       now,
		MinVersion: tls.VersionTLS12,
		// For TLS 1.2; those of 1.3 are all of this kind. Go's own list has CBC.
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return certificate(), nil
		},
	}
	if len(s.cfg.ClientCAs) > 0 {
		mistakes = errors.Join(mistakes, s.askForCertificates(now))
	}
	return mistakes
}

// certificateFiles returns the newest good certificate of the files.
func (s *Server) certificateFiles(now func() time.Time) (*renewed[tls.Certificate], error) {
	files := &renewed[tls.Certificate]{what: "certificate", files: []string{s.cfg.TLSCert, s.cfg.TLSKey}, logger: s.cfg.Logger, now: now}
	files.note = func(pair *tls.Certificate) slog.Attr { return slog.Time("not_after", pair.Leaf.NotAfter) }
	files.read = func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(s.cfg.TLSCert, s.cfg.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("TLSCert and TLSKey: %w", err)
		}
		if now().After(pair.Leaf.NotAfter) {
			return nil, errors.New("TLSCert: the certificate has expired")
		}
		return &pair, nil
	}
	return files, files.load()
}
