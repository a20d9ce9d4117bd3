package discover

import "strings"

// guess is a path of the word list.
type guess struct {
	path string
	file bool // counts only if it is served
	top  bool // is tried at the root only
}

// wordList are paths that are often there, and in no document.
func wordList() []guess {
	var out []guess
	for _, path := range strings.Fields(endpoints) {
		out = append(out, guess{path: path})
	}
	for _, path := range strings.Fields(framework) {
		out = append(out, guess{path: path, top: true})
	}
	for _, path := range strings.Fields(files) {
		out = append(out, guess{path: path, file: true, top: true})
	}
	return out
}

const endpoints = `
admin admin/users admin/stats admin/config admin/settings admin/logs administrator staff manage management
debug _debug debug/vars debug/pprof/ debug/requests debug/config trace
internal internal/users internal/config internal/status internal/health internal/metrics private system
status health healthz health/live health/ready livez readyz ping version info about
metrics stats statistics server-status server-info
config configuration settings env environment features flags
users user accounts account me profile whoami session sessions auth login register signup token tokens keys
customers members roles permissions groups
orders products items invoices payments transactions messages comments notifications files uploads upload documents reports export backup
logs log audit audit-log events
test tests dev staging beta sandbox demo example
search query webhook webhooks callback proxy fetch
v0 v1 v2 v3
graphql graphiql playground console shell
docs documentation swagger swagger-ui swagger-ui/index.html redoc openapi.json swagger.json api-docs`

const framework = `
api rest
actuator actuator/env actuator/health actuator/heapdump actuator/mappings actuator/configprops actuator/beans actuator/loggers
manage/env manage/health jolokia h2-console
__debug__/ _profiler telescope horizon rails/info/routes rails/info/properties
elmah.axd trace.axd phpinfo.php info.php phpmyadmin adminer.php
.well-known/openid-configuration .well-known/oauth-authorization-server .well-known/jwks.json jwks.json .well-known/security.txt
_cat/indices _all_dbs _status nginx_status prometheus flower/ jobs queues sidekiq bull
db database sql`

const files = `
.git/HEAD .git/config .svn/entries .hg/requires .env .env.local .env.production .env.bak .DS_Store
config.json config.yml config.yaml settings.json application.properties application.yml appsettings.json web.config
package.json composer.json requirements.txt go.mod Dockerfile docker-compose.yml
backup.zip backup.tar.gz backup.sql dump.sql database.sql db.sqlite3 database.sqlite db.sqlite database.db app.db users.json
id_rsa private.pem server.key public.pem jwt.key .htpasswd .npmrc .aws/credentials
error.log debug.log access.log app.log logs/app.log`
