package report_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/fastness/fastness/guard/report"
)

func Example() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	sink, err := report.New(report.Config{Logger: logger})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("POST /csp-reports", sink)

	r := httptest.NewRequest("POST", "/csp-reports", strings.NewReader(`[{"type": "csp-violation", "url": "https://shop.example/cart?token=secret",
		"body": {"blockedURL": "https://evil.example/x.js", "effectiveDirective": "script-src-elem", "disposition": "enforce", "lineNumber": 12}}]`))
	r.Header.Set("Content-Type", "application/reports+json")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output:
	// level=WARN msg="policy violation" type=csp-violation document=https://shop.example/cart directive=script-src-elem blocked=https://evil.example/x.js source="" line=12 column=0 disposition=enforce
	// 204
}
