package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates of machines.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, file: filepath.Join(t.TempDir(), name+".pem")}
	a.key = newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue returns a client certificate for a machine.
func (a *authority) issue(name string) tls.Certificate {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A machine is the user whose name its certificate has, and nobody becomes one by
// a header that a proxy might set.
func TestMachinesAreKnownByTheirCertificates(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	s := serveShop(t, "--tls-client-ca", ours.file)
	var header []string
	call := func(method, path, body string, certificates ...tls.Certificate) (status int, answer map[string]any, err error) {
		config := s.tls.Clone()
		config.Certificates = certificates
		if len(certificates) > 0 { // Sent even if the server does not name its authority.
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificates[0], nil }
		}
		transport := &http.Transport{TLSClientConfig: config}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), method, "https://"+s.addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "localhost"
		r.Header.Set("X-Forwarded-Client-Cert", "Subject=\"CN=robot\"")
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := (&http.Client{Transport: transport, Timeout: limit}).Do(r)
		if err != nil {
			return 0, nil, err
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			return 0, nil, err
		}
		_ = json.Unmarshal(text, &answer) // Some answers are empty.
		return res.StatusCode, answer, nil
	}

	if status, answer, err := call("POST", "/sign-up", `{"name":"robot","password":"oil can and spanner"}`); status != 201 {
		t.Fatalf("sign-up: %d %v %v", status, answer, err)
	}
	status, me, err := call("GET", "/me", "", ours.issue("robot"))
	if status != 200 || me["name"] != "robot" || me["scheme"] != "mutualTLS" {
		t.Errorf("the robot is %d %v %v", status, me, err)
	}
	if status, _, err := call("POST", "/orders", `{"item_id":1}`, ours.issue("robot")); status != 201 {
		t.Errorf("the robot orders: %d %v, want 201", status, err)
	}
	header = []string{"Sec-Fetch-Site", "cross-site"} // Browsers have certificates, too.
	if status, _, err := call("POST", "/orders", `{"item_id":1}`, ours.issue("robot")); status != 403 {
		t.Errorf("a page of another site orders: %d %v, want 403", status, err)
	}
	header = nil
	if status, _, err := call("GET", "/me", "", ours.issue("nobody")); status != 401 {
		t.Errorf("a certificate of nobody: %d %v, want 401", status, err)
	}
	if status, _, err := call("GET", "/me", ""); status != 401 {
		t.Errorf("no certificate: %d %v, want 401", status, err)
	}
	if status, _, err := call("GET", "/me", "", theirs.issue("robot")); err == nil {
		t.Errorf("a certificate of another authority: %d, want that the handshake fails", status)
	}
}
