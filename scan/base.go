package scan

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/fastness/fastness/scan/internal/spec"
	"github.com/fastness/fastness/scan/wire"
)

// usualBases are what stands before the paths of many APIs.
var usualBases = [...]string{"/api", "/api/v1", "/v1", "/api/v2", "/v2", "/rest", "/api/v3", "/v3", "/rest/v1"}

// nowhere is the name of something that no target has.
const nowhere = "fzq7nothing"

// maxBases are the bases that are tried if none of the document is the one of the target.
const maxBases = 24

// searchBase looks for the base of a target that knows no operation under any of those that
// its document names: a document keeps the address of before a gateway was put in front, or
// taken away. What is tried are parts of what is named, and what is usual.
//
// All paths under a base may be answered alike, as those of an app in the browser are. Hence
// a path counts only if one that cannot be there is answered with another status.
func (s *scan) searchBase(ctx context.Context, api *spec.API) {
	named, before := slices.Clone(api.Bases), api.Base
	best, most := before, 0
	for _, base := range otherBases(named) {
		api.Rebase(base)
		decoy := s.client.Do(ctx, wire.Request{Method: http.MethodGet, Path: base + "/" + nowhere, Why: "base"})
		if there := s.known(ctx, api, decoy.Status); there > most {
			best, most = base, there
		}
	}
	api.Rebase(best)
	if best != before {
		s.note("the target knows nothing under the addresses that the document names: %s/ is used", best)
	}
}

// otherBases are the ends and the beginnings of bases, each behind what is usual, and what
// is usual alone, without those that were tried.
func otherBases(named []string) (out []string) {
	add := func(base string) {
		if len(out) < maxBases && !slices.Contains(named, base) && !slices.Contains(out, base) {
			out = append(out, base)
		}
	}
	for _, base := range named {
		parts := strings.Split(strings.Trim(base, "/"), "/")
		for i := 1; i < len(parts); i++ {
			add("/" + strings.Join(parts[i:], "/"))
			add("/" + strings.Join(parts[:i], "/"))
		}
	}
	for _, base := range named {
		if base != "" && !strings.HasPrefix(base, "/api/") {
			add("/api" + base)
		}
	}
	for _, base := range usualBases {
		add(base)
	}
	return out
}

// known counts operations that are answered, and not as what cannot be there.
func (s *scan) known(ctx context.Context, api *spec.API, absent int) (there int) {
	tried := 0
	for _, op := range api.Operations {
		if tried >= maxTried {
			break
		}
		if op.Method != http.MethodGet || strings.Contains(op.Path, "{") {
			continue
		}
		tried++
		ex := s.client.Do(ctx, wire.Request{Method: http.MethodGet, Path: op.Path, Operation: op.ID, Why: "base"})
		if ex.Status != 0 && ex.Status != http.StatusNotFound && ex.Status != absent {
			there++
		}
	}
	return there
}
