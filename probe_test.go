package fastness_test

import (
	"net/http/httptest"
	"testing"
)

// A cluster's probe names the pod by its address; everything else that does is
// refused.
func TestProbesPassTheHostAllowlist(t *testing.T) {
	app := costApp()
	for target, want := range map[string]int{
		"http://10.1.2.3:8443/health/live": 200, "http://10.1.2.3:8443/health/ready": 200,
		"http://10.1.2.3:8443/health": 421, "http://10.1.2.3:8443/openapi.json": 421,
	} {
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		if w.Code != want {
			t.Errorf("GET %s = %d, want %d", target, w.Code, want)
		}
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("POST", "http://10.1.2.3/health/live", nil))
	if w.Code != 421 {
		t.Errorf("POST to a probe's path = %d, want 421", w.Code)
	}
}
