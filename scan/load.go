package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// maxDocument is how large a document may be.
const maxDocument = 32 << 20

// load returns what the document says, from a text, a file or an address; or nil if none
// is given.
func (s *scan) load(ctx context.Context) (*spec.API, error) {
	switch {
	case s.config.Text != nil:
		return spec.Parse(s.config.Text, spec.ParseConfig{Source: s.config.Target, Context: ctx})
	case s.config.Document == "":
		return nil, nil
	case strings.HasPrefix(s.config.Document, "http://"), strings.HasPrefix(s.config.Document, "https://"):
		return s.loadAddress(ctx, s.config.Document)
	}
	return loadFile(ctx, s.config.Document)
}

// loadFile reads a document and what it refers to in its folder.
func loadFile(ctx context.Context, file string) (*spec.API, error) {
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	defer root.Close()
	read := func(_ context.Context, name string) ([]byte, error) {
		f, err := root.Open(filepath.FromSlash(name))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readAtMost(f)
	}
	text, err := read(ctx, filepath.Base(file))
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return spec.Parse(text, spec.ParseConfig{Source: file, Fetch: read, Context: ctx})
}

func readAtMost(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = errors.New("it is larger than 32 MiB")
	}
	return text, err
}

// loadAddress reads a document over the network, from the host that it is on: that is the
// only request of a scan that may go elsewhere, and the user has named it.
func (s *scan) loadAddress(ctx context.Context, address string) (*spec.API, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	from := u.Scheme + "://" + u.Host
	var client *wire.Client
	if from == s.client.Target() {
		client = s.client
	} else {
		client, err = wire.New(wire.Config{Target: from, MaxRequests: 200, MaxBody: maxDocument, CAFile: s.config.CAFile, InsecureCertificates: s.config.InsecureCertificates})
		if err != nil {
			return nil, fmt.Errorf("document: %w", err)
		}
		defer client.Close()
	}
	fetch := func(ctx context.Context, ref string) ([]byte, error) { return get(ctx, client, ref) }
	text, err := fetch(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("document: %w", err)
	}
	return spec.Parse(text, spec.ParseConfig{Source: address, Fetch: fetch, Context: ctx})
}

// get reads an address of the host of a client.
func get(ctx context.Context, client *wire.Client, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if from := u.Scheme + "://" + u.Host; from != client.Target() {
		return nil, fmt.Errorf("%s is another host than %s", from, client.Target())
	}
	ex := client.Do(ctx, wire.Request{
		Method: http.MethodGet, Path: u.EscapedPath(), Query: u.RawQuery, Why: "document",
		Header: http.Header{"Accept": {"application/json, application/yaml, */*;q=0.5"}},
	})
	switch {
	case ex.Err != nil:
		return nil, ex.Err
	case !ex.OK():
		return nil, fmt.Errorf("%s is answered %d", address, ex.Status)
	case ex.Truncated:
		return nil, errors.New("it is larger than a scan reads")
	}
	return ex.Body, nil
}

// maxTried are the operations of which each base is tried.
const maxTried = 8

// rebase finds out which base the target has: documents often name that of another
// installation.
func (s *scan) rebase(ctx context.Context, api *spec.API) {
	if own := strings.TrimRight(s.client.Base(), "/"); own != "" {
		for _, each := range api.Bases {
			if strings.HasPrefix(each, own) {
				own = ""
			}
		}
		if own != "" {
			api.Bases = append([]string{own}, api.Bases...)
			api.Rebase(own)
		}
	}
	best, most := api.Base, -1
	for _, base := range api.Bases[:min(len(api.Bases), 5)] {
		api.Rebase(base)
		if there := s.answered(ctx, api); there > most {
			best, most = base, there
		}
	}
	api.Rebase(best)
	if most <= 0 {
		s.searchBase(ctx, api)
	}
}

// answered counts operations that the target knows under the present base.
func (s *scan) answered(ctx context.Context, api *spec.API) (there int) {
	tried := 0
	for _, op := range api.Operations {
		if op.Method != http.MethodGet || strings.Contains(op.Path, "{") || tried >= maxTried {
			continue
		}
		tried++
		ex := s.client.Do(ctx, wire.Request{Method: http.MethodGet, Path: op.Path, Operation: op.ID, Why: "base"})
		if ex.Status != 0 && ex.Status != http.StatusNotFound {
			there++
		}
	}
	if tried > 0 {
		return there
	}
	for _, op := range api.Operations[:min(len(api.Operations), maxTried)] { // None can be read: ask which methods there are.
		ex := s.client.Do(ctx, wire.Request{Method: http.MethodOptions, Path: strings.NewReplacer("{", "", "}", "").Replace(op.Path), Why: "base"})
		if ex.Status != 0 && ex.Status != http.StatusNotFound {
			there++
		}
	}
	return there
}

// knock looks whether there is anybody to talk to at all: a scan of nobody, or of who knows
// whom, would say that nothing was found.
func (s *scan) knock(ctx context.Context) error {
	if s.config.Handler != nil {
		return nil
	}
	ex := s.client.Do(ctx, wire.Request{Method: http.MethodGet, Path: spec.BaseOf(s.config.Target) + "/", Why: "knock"})
	var refused *net.OpError
	switch {
	case ex.Status != 0:
	case s.client.Certificate() != nil && s.config.InsecureCertificates == "":
		return fmt.Errorf("the certificate of %s is not to be trusted: %w (CAFile names one that is, InsecureCertificates is why it does not matter)", s.config.Target, s.client.Certificate())
	case errors.As(ex.Err, &refused) && refused.Op == "dial":
		return fmt.Errorf("%s does not answer: %w", s.config.Target, ex.Err)
	}
	return nil
}
