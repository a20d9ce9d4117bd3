package serve

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 90 * 24 * time.Hour
	renewBefore   = 30 * 24 * time.Hour
	clockSkew     = time.Hour // of other machines, when a validity begins
)

// development is a certificate for this machine and the authority that vouches for
// it. The files may be shared: each holds a key with its certificate, and comes into
// being complete, so whoever reads one never sees halves of two.
type development struct {
	dir       string
	logger    *slog.Logger
	now       func() time.Time
	authority *tls.Certificate

	mu   sync.Mutex // guards following
	leaf *tls.Certificate
}

func openDevelopment(dataDir string, logger *slog.Logger, now func() time.Time) (*development, error) {
	dir, err := filepath.Abs(filepath.Join(dataDir, "dev-ca"))
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	d := &development{dir: dir, logger: logger, now: now}
	if d.authority, err = d.openAuthority(); err != nil {
		return nil, err
	}
	if err := d.openLeaf(); err != nil {
		return nil, err
	}
	return d, nil
}

// authorityFile is for browsers; it has no key in it.
func (d *development) authorityFile() string { return filepath.Join(d.dir, "ca.pem") }

// certificate returns the certificate, a new one if it is about to expire.
func (d *development) certificate() *tls.Certificate {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.aboutToExpire(d.leaf) {
		if err := d.openLeaf(); err != nil {
			d.logger.Error("the development certificate is not renewed", "error", err)
		}
	}
	return d.leaf
}

func (d *development) aboutToExpire(c *tls.Certificate) bool {
	return d.now().After(c.Leaf.NotAfter.Add(-renewBefore))
}

// openAuthority reads the authority, or makes it. Of several that make it at once one
// wins, and all use that one.
func (d *development) openAuthority() (*tls.Certificate, error) {
	file := filepath.Join(d.dir, "ca-key.pem")
	authority, err := readPair(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.makeAuthority(file); err != nil {
			return nil, err
		}
		authority, err = readPair(file)
	}
	if err != nil {
		return nil, err
	}
	if !authority.Leaf.IsCA || d.now().After(authority.Leaf.NotAfter.Add(-leafLife)) {
		return nil, errors.New("the authority in ca-key.pem is about to expire, want the folder dev-ca deleted and the new authority trusted")
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate[0]})
	if old, err := os.ReadFile(d.authorityFile()); err == nil && bytes.Equal(old, public) {
		return authority, nil
	}
	return authority, writeFile(d.authorityFile(), public, 0o644, os.Rename)
}

// makeAuthority writes an authority that can vouch for this machine only: a stolen key
// is of no use on anybody's way to another host (RFC 5280 section 4.2.1.10).
func (d *development) makeAuthority(file string) error {
	template := &x509.Certificate{
		Subject:                     pkix.Name{CommonName: "Development authority for localhost only"},
		NotAfter:                    d.now().Add(authorityLife),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(32, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
	text, err := d.issue(template, nil)
	if err != nil {
		return err
	}
	err = writeFile(file, text, 0o600, linkOrRename)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// linkOrRename gives a file a name that no other file has. A file system without links
// leaves the race to the last one.
func linkOrRename(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(from, to)
}

// openLeaf reads the certificate, or makes one if there is none that will do.
func (d *development) openLeaf() error {
	file := filepath.Join(d.dir, "localhost.pem")
	leaf, err := readPair(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil && leaf.Leaf.CheckSignatureFrom(d.authority.Leaf) == nil && !d.aboutToExpire(leaf) {
		d.leaf = leaf
		return nil
	}
	text, err := d.issue(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "localhost"},
		NotAfter:    d.now().Add(leafLife - clockSkew),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}, d.authority)
	if err != nil {
		return err
	}
	if err := writeFile(file, text, 0o600, os.Rename); err != nil {
		return err
	}
	d.leaf, err = parsePair(text)
	return err
}

// issue makes a key and its certificate, signed by the authority or, if that is nil,
// by itself. It returns both as PEM.
func (d *development) issue(template *x509.Certificate, authority *tls.Certificate) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	template.NotBefore = d.now().Add(-clockSkew)
	parent, signer := template, crypto.PrivateKey(key)
	if authority != nil {
		parent, signer = authority.Leaf, authority.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), nil
}

// readPair reads a file with a key and its certificate, which must be the owner's only.
func readPair(file string) (*tls.Certificate, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read by others, want mode 0600", filepath.Base(file))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pair, err := parsePair(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return pair, nil
}

func parsePair(text []byte) (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// writeFile writes a file beside name and then gives it the name, with os.Rename or
// os.Link, so that nobody ever reads a part of it.
func writeFile(name string, text []byte, mode fs.FileMode, publish func(from, to string) error) error {
	temp, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // It is gone already after a rename.
	_, err = temp.Write(text)
	if err = errors.Join(err, temp.Chmod(mode), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return publish(temp.Name(), name)
}
