package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// A Report is everything that one run found.
type Report struct {
	Environment Environment `json:"environment"`
	Tables      []Table     `json:"tables,omitempty"`
	Loopback    []Loopback  `json:"loopback,omitempty"`
}

// A Table is one kind of work in process.
type Table struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Baseline string   `json:"baseline"`
	Results  []Result `json:"results"`
}

// An Environment is what the numbers depend on.
type Environment struct {
	Go         string   `json:"go"`
	Platform   string   `json:"platform"`
	CPU        string   `json:"cpu"`
	Cores      int      `json:"cores"`
	GOMAXPROCS int      `json:"gomaxprocs"`
	Rounds     int      `json:"rounds"`
	Versions   []string `json:"versions"`
}

// environment reads the versions of the peers from the binary itself, so that
// a table cannot name another one than it measured.
func environment(rounds int) Environment {
	e := Environment{
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
		CPU:        cpuModel(),
		Cores:      runtime.NumCPU(),
		GOMAXPROCS: runtime.GOMAXPROCS(0),
		Rounds:     rounds,
	}
	measured := []string{
		"github.com/go-chi/chi/v5", "github.com/gin-gonic/gin", "github.com/labstack/echo/v4", "github.com/danielgtaylor/huma/v2",
		"github.com/go-fuego/fuego", "github.com/ogen-go/ogen", "github.com/go-playground/validator/v10",
		"github.com/golang-jwt/jwt/v5", "golang.org/x/time", "github.com/go-json-experiment/json", "github.com/bytedance/sonic",
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains(measured, m.Path) {
				e.Versions = append(e.Versions, m.Path+" "+m.Version)
			}
		}
	}
	return e
}

func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// Markdown writes the report for people.
func (r Report) Markdown(w io.Writer) {
	e := r.Environment
	fmt.Fprintf(w, "%s, %s, %s, %d cores, GOMAXPROCS %d, %d rounds\n\n", e.Go, e.Platform, e.CPU, e.Cores, e.GOMAXPROCS, e.Rounds)
	fmt.Fprintf(w, "%s\n", strings.Join(e.Versions, ", "))
	for _, t := range r.Tables {
		t.markdown(w)
	}
	if len(r.Loopback) > 0 {
		loopbackMarkdown(w, r.Loopback)
	}
}

func (t Table) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n", t.Title)
	fmt.Fprintf(w, "| | CPU ns/request | min–max | × hand-written | allocations | bytes | answer |\n|---|---:|---:|---:|---:|---:|---|\n")
	base := math.NaN()
	if i := slices.IndexFunc(t.Results, func(r Result) bool { return r.Name == t.Baseline }); i >= 0 {
		base = t.Results[i].Median
	}
	for _, r := range t.Results {
		fmt.Fprintf(w, "| %s | %s | %s–%s | %s | %s | %s | %s |\n", r.Title, thousands(r.Median), thousands(r.Least), thousands(r.Most),
			ratio(r.Median/base), thousands(r.Allocations), thousands(r.Bytes), r.Answer)
	}
}

// ratio prints – where the baseline did not take part.
func ratio(x float64) string {
	if math.IsNaN(x) {
		return "–"
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// thousands prints a whole number with a comma every three digits.
func thousands(x float64) string {
	digits := strconv.FormatFloat(math.Round(x), 'f', 0, 64)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
