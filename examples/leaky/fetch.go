package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fetch gets what is at an address, 64 KiB of it.
func fetch(r *http.Request, method, address string) (contentType string, body []byte, err error) {
	client := &http.Client{Timeout: 5 * time.Second}
	request, err := http.NewRequestWithContext(r.Context(), method, address, strings.NewReader(""))
	if err != nil {
		return "", nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return answer.Header.Get("Content-Type"), body, err
}

// pictureFromURL gets the picture of an item from somewhere.
func (s *shop) pictureFromURL(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct {
		URL string `json:"picture_url"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	// FLAW LK-68 (SS-01, API7:2023, CWE-918): any address is visited, and the answer has what was there
	contentType, body, err := fetch(r, http.MethodGet, in.URL)
	if err != nil {
		fail(w, 400, err.Error())
		return
	}
	reply(w, 200, map[string]any{"item_id": number(r, "item_id"), "content_type": contentType, "data": base64.StdEncoding.EncodeToString(body)})
}

// createWebhook keeps an address, and tries it.
func (s *shop) createWebhook(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ URL string }{}
	if !decode(w, r, &in) {
		return
	}
	id, _ := s.exec("INSERT INTO webhooks (user_id, url) VALUES (?, ?)", u.id, in.URL)
	// FLAW LK-69 (SS-01, API7:2023, CWE-918): any address is visited, though the answer does not show what was there
	_, _, _ = fetch(r, http.MethodPost, in.URL)
	reply(w, 201, map[string]any{"id": id, "url": in.URL})
}

// preview shows the title of a page. It knows that addresses inside are dangerous.
func (s *shop) preview(w http.ResponseWriter, r *http.Request, _ user) {
	address := r.URL.Query().Get("url")
	// FLAW LK-70 (SS-02, API7:2023, CWE-918): two spellings of loopback are refused, and the others, and redirects, are not
	if strings.Contains(address, "127.0.0.1") || strings.Contains(address, "localhost") {
		fail(w, 400, "not inside")
		return
	}
	_, body, err := fetch(r, http.MethodGet, address)
	if err != nil {
		fail(w, 502, "the page does not answer")
		return
	}
	_, title, _ := strings.Cut(string(body), "<title>")
	title, _, _ = strings.Cut(title, "</title>")
	reply(w, 200, map[string]any{"url": address, "title": title, "length": len(body)})
}

// syncSupplier takes what a supplier has, as their API says it.
func (s *shop) syncSupplier(w http.ResponseWriter, r *http.Request, u user) {
	in := struct {
		FeedURL string `json:"feed_url"`
	}{}
	if !decode(w, r, &in) {
		return
	}
	_, body, err := fetch(r, http.MethodGet, in.FeedURL)
	var feed struct {
		Items []itemBody `json:"items"`
	}
	if err == nil {
		err = json.Unmarshal(body, &feed)
	}
	if err != nil {
		fail(w, 502, "the supplier does not answer")
		return
	}
	ids := []int64{}
	for _, item := range feed.Items {
		// FLAW LK-87 (SS-01, API10:2023, CWE-20): what the API of another says is for sale at once, a price below zero too
		id, _ := s.exec("INSERT INTO items (name, description, price, seller_id) VALUES (?, ?, ?, ?)", item.Name, item.Description, item.Price, u.id)
		ids = append(ids, id)
	}
	reply(w, 200, map[string]any{"item_ids": ids})
}

// uploadPicture keeps a file under the name that it has.
func (s *shop) uploadPicture(w http.ResponseWriter, r *http.Request, _ user) {
	file, head, err := r.FormFile("picture")
	if err != nil {
		fail(w, 400, "a file called picture is wanted")
		return
	}
	data, err := io.ReadAll(file)
	must(err)
	// FLAW LK-71 (UP-01, API8:2023, CWE-434): any file is taken, HTML too, and shown to browsers as what its name says
	must(os.WriteFile(filepath.Join(s.dir, "uploads", head.Filename), data, 0o600))
	reply(w, 201, map[string]any{"url": "/files/" + head.Filename})
}

// file shows a picture.
func (s *shop) file(w http.ResponseWriter, r *http.Request) {
	http.ServeFile(w, r, filepath.Join(s.dir, "uploads", filepath.Base(r.PathValue("name"))))
}
