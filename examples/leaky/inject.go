package main

import (
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// label makes what the printer in the cellar prints.
func (s *shop) label(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct{ Text string }{}
	if !decode(w, r, &in) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	// FLAW LK-63 (IN-04, API8:2023, CWE-78): the text becomes part of a command of the shell
	command := exec.CommandContext(ctx, "sh", "-c", "echo Item "+in.Text)
	command.Dir, command.Env = filepath.Join(s.dir, "files"), []string{"PATH=/usr/bin:/bin"}
	out, _ := command.Output()
	reply(w, 200, map[string]any{"label": string(out)})
}

// newsletterPreview shows a seller's newsletter as a customer would get it.
func (s *shop) newsletterPreview(w http.ResponseWriter, r *http.Request, u user) {
	in := struct{ Template string }{}
	if !decode(w, r, &in) {
		return
	}
	var text strings.Builder
	// FLAW LK-64 (IN-06, API8:2023, CWE-1336): the caller writes the template, and {{print 41 "x"}} is run
	parsed, err := template.New("newsletter").Parse(in.Template)
	if err == nil {
		err = parsed.Execute(&text, map[string]any{"Name": u.name, "Shop": "Fastness shop"})
	}
	if err != nil {
		fail(w, 400, err.Error())
		return
	}
	reply(w, 200, map[string]any{"preview": text.String()})
}

// invoice sends a file of the folder of invoices.
func (s *shop) invoice(w http.ResponseWriter, r *http.Request, _ user) {
	// FLAW LK-65 (IN-07, API8:2023, CWE-22): the name may lead out of the folder
	data, err := os.ReadFile(filepath.Join(s.dir, "files", r.URL.Query().Get("file")))
	if err != nil {
		fail(w, 404, "no such invoice")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(data)
}

// makeFiles fills the folder: invoices, the keys of tokens, and what lies beside them.
func makeFiles(dir string) error {
	for _, folder := range []string{"files", "keys", "uploads"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"files/2026-01.txt": "Invoice 2026-01\n1 x Watchman's lantern  42.50\n",
		"files/2026-02.txt": "Invoice 2026-02\n2 x Signal horn  128.00\n",
		"config.env":        "DB_PASSWORD=rampart-and-moat\nJWT_SECRET=secret123\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return makeKeys(filepath.Join(dir, "keys"))
}

// vouchers are in the document database of another team. Its filters are objects.
func vouchers() []map[string]any {
	return []map[string]any{
		{"code": "V-49201", "owner": "alice", "amount": 25.0},
		{"code": "V-77310", "owner": "bob", "amount": 40.0},
		{"code": "V-10027", "owner": "gisela", "amount": 100.0},
	}
}

func (s *shop) searchVouchers(w http.ResponseWriter, r *http.Request, _ user) {
	in := struct{ Code any }{}
	if !decode(w, r, &in) {
		return
	}
	found := []map[string]any{}
	for _, voucher := range vouchers() {
		// FLAW LK-66 (IN-05, API8:2023, CWE-943): a code that is an object is a filter, and {"$ne": null} fits all
		if fits(voucher["code"].(string), in.Code) {
			found = append(found, voucher)
		}
	}
	reply(w, 200, map[string]any{"vouchers": found})
}

// fits is how the document database looks at a filter.
func fits(value string, filter any) bool {
	operators, ok := filter.(map[string]any)
	if !ok {
		return filter == value
	}
	for operator, operand := range operators {
		text, _ := operand.(string)
		switch operator {
		case "$eq":
			ok = operand == value
		case "$ne":
			ok = operand != value
		case "$gt":
			ok = value > text
		case "$regex":
			pattern, err := regexp.Compile(text)
			ok = err == nil && pattern.MatchString(value)
		default:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return true
}

// importItems takes the price lists of suppliers, whose programs are old.
func (s *shop) importItems(w http.ResponseWriter, r *http.Request, u user) {
	text, err := io.ReadAll(r.Body)
	must(err)
	decoder := xml.NewDecoder(strings.NewReader(string(text)))
	decoder.Strict = false
	// FLAW LK-67 (IN-08, API8:2023, CWE-611): entities are expanded, those that name a file too
	decoder.Entity = entities(string(text))
	list := struct {
		Items []struct {
			Name string `xml:"name"`
		} `xml:"item"`
	}{}
	if err := decoder.Decode(&list); err != nil {
		fail(w, 400, "no price list: "+err.Error())
		return
	}
	names := []string{}
	for _, item := range list.Items {
		s.exec("INSERT INTO items (name, price, seller_id, draft) VALUES (?, 0, ?, 1)", item.Name, u.id)
		names = append(names, item.Name)
	}
	reply(w, 200, map[string]any{"imported": names})
}

// entity is a declaration in the head of an XML document.
var entity = regexp.MustCompile(`<!ENTITY\s+(\w+)\s+(SYSTEM\s+)?["']([^"']*)["']`)

func entities(text string) map[string]string {
	found := map[string]string{}
	for _, match := range entity.FindAllStringSubmatch(text, 20) {
		value := match[3]
		if match[2] != "" {
			data, err := os.ReadFile(strings.TrimPrefix(value, "file://"))
			must(err)
			value = string(data)
		}
		found[match[1]] = value
	}
	return found
}
