package database_test

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fastness/fastness"
	"github.com/fastness/fastness/database/databasetest"
	"github.com/fastness/fastness/sqldb"
)

// probes are what tools that look for SQL injection send: behind each way to leave a
// value, a condition that holds and its opposite, an error that shows a value, rows of
// another table, a second statement, and a wait. A pair that is answered in two ways,
// an error of the database or a late answer would be what they look for.
func probes() (pairs [][2]string, single []string) {
	for _, leave := range []string{"", "1", "Lamp", "'", "Lamp'", `"`, `Lamp"`, "')", "'))", "%'", "%')", `\'`, `\`, "Lamp%' ESCAPE '!'", "$1", "?", "??", "$$", "E'", "/*", "\u02bc", "\uff07"} {
		for _, end := range []string{"", "-- -", "/*", ";--"} {
			for _, pair := range [][2]string{{" AND 1=1", " AND 1=2"}, {" OR '1'='1", " OR '1'='2"}, {" AND name LIKE '%", " AND name LIKE 'no such%"}} {
				pairs = append(pairs, [2]string{leave + pair[0] + end, leave + pair[1] + end})
			}
			for _, rest := range []string{
				" AND 1=CAST((SELECT name FROM things LIMIT 1) AS int)", " UNION ALL SELECT 1,name,2,NULL FROM things", "; DELETE FROM things", "; SELECT pg_sleep(5)",
				" AND 1=(SELECT 1 FROM pg_sleep(5))", " AND 1=LIKE('ABCDEFG',UPPER(HEX(RANDOMBLOB(500000000))))", " ORDER BY 99", " LIMIT 0 OFFSET 0", "||(SELECT name FROM things)",
			} {
				single = append(single, leave+rest+end)
			}
		}
	}
	return pairs, single
}

func TestInjectionFindsNothing(t *testing.T) {
	pairs, single := probes()
	databasetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		api := newListAPI(t, db, func(cfg *fastness.Config) { // They are thousands.
			cfg.Logger, cfg.RateLimit.Rule.Limit = slog.New(slog.DiscardHandler), "1000000/second"
		})
		all, _ := found(api, "/things?sort=created")
		ask := func(target, parameter, value string) string {
			t.Helper()
			target += "?" + parameter + "=" + url.QueryEscape(value)
			start := time.Now()
			res := api.Get(target)
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("%s took %v", target, took)
			}
			body := string(res.Body)
			if res.Status != 200 && res.Status != 422 {
				t.Errorf("%s: %d %s", target, res.Status, body)
			}
			for _, word := range []string{"SQL", "syntax", "sqlite", "pgx", "ERROR", "near \"", "Lamp\",\"price\":"} {
				if strings.Contains(body, word) {
					t.Errorf("%s shows %q: %s", target, word, body)
				}
			}
			before, _, _ := strings.Cut(body, `"instance"`)
			return before
		}
		for _, at := range [][2]string{
			{"/things", "q"}, {"/things", "name"}, {"/things", "sort"}, {"/things", "cursor"}, {"/things", "limit"}, {"/things", "min_price"}, {"/leaf", "offset"}, {"/leaf", "count"}, {"/many", "sort"},
		} {
			for _, pair := range pairs {
				if holds, fails := ask(at[0], at[1], pair[0]), ask(at[0], at[1], pair[1]); holds != fails {
					t.Errorf("%v tells %q from %q: %s, %s", at, pair[0], pair[1], holds, fails)
				}
			}
			for _, value := range single {
				ask(at[0], at[1], value)
			}
		}
		if after, _ := found(api, "/things?sort=created"); after != all || len(after) != 5 {
			t.Errorf("after that the list is %s, was %s", after, all)
		}
	}, things)
}
