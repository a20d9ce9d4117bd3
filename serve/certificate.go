package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// setUpTLS decides on versions, suites and the source of the certificate.
func (s *Server) setUpTLS(now func() time.Time) error {
	var certificate func() *tls.Certificate
	if s.cfg.TLSCert == "" {
		dev, err := openDevelopment(s.cfg.DataDir, s.cfg.Logger, now)
		if err != nil {
			return fmt.Errorf("development certificate: %w", err)
		}
		s.devCA, certificate = dev.authorityFile(), dev.certificate
	} else {
		files := &certFiles{cert: s.cfg.TLSCert, key: s.cfg.TLSKey, logger: s.cfg.Logger, now: now}
		if err := files.load(); err != nil {
			return err
		}
		certificate = files.certificate
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
	return nil
}

// checkEvery is how often the certificate files may be looked at.
const checkEvery = time.Second

// certFiles is a certificate in files, which somebody else renews.
type certFiles struct {
	cert, key string
	logger    *slog.Logger
	now       func() time.Time
	current   atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // guards following
	checked time.Time
	seen    [2]os.FileInfo
}

// certificate returns the newest good certificate. A renewal is two writes, of which
// one may not have happened yet; what cannot be used is logged and tried again when
// the files change once more.
func (f *certFiles) certificate() *tls.Certificate {
	if f.mu.TryLock() { // Handshakes need not wait for the disk.
		defer f.mu.Unlock()
		if now := f.now(); now.Sub(f.checked).Abs() >= checkEvery {
			f.checked = now
			if f.changedLocked() {
				if err := f.loadLocked(); err != nil {
					f.logger.Error("the new certificate is not used", "error", err)
				} else {
					f.logger.Info("certificate renewed", "not_after", f.current.Load().Leaf.NotAfter)
				}
			}
		}
	}
	return f.current.Load()
}

func (f *certFiles) load() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checked = f.now()
	f.changedLocked()
	return f.loadLocked()
}

// changedLocked reports whether the files are not those that it saw the last time.
func (f *certFiles) changedLocked() bool {
	changed := false
	for i, name := range [...]string{f.cert, f.key} {
		info, err := os.Stat(name)
		old := f.seen[i]
		if err != nil {
			info = nil
		}
		if (info == nil) != (old == nil) || info != nil &&
			(!os.SameFile(info, old) || info.Size() != old.Size() || !info.ModTime().Equal(old.ModTime())) {
			changed = true
		}
		f.seen[i] = info
	}
	return changed
}

func (f *certFiles) loadLocked() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("TLSCert and TLSKey: %w", err)
	}
	if f.now().After(pair.Leaf.NotAfter) {
		return errors.New("TLSCert: the certificate has expired")
	}
	f.current.Store(&pair)
	return nil
}
