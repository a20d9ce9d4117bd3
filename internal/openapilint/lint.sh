#!/bin/sh
# lint.sh [DOCUMENT ...] has OpenAPI documents read by tools that share no code
# with the generator: Redocly, and Spectral with OWASP's rules. Without an
# argument they read the document of the reference app, as JSON and as YAML.
# Warnings count. It needs node and npm; the tools stay in .cache/openapilint.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/.cache/openapilint
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

mkdir -p "$tools"
if ! cmp -s "$here/package-lock.json" "$tools/installed"; then
	cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$tools/"
	(cd "$tools" && npm ci --ignore-scripts --no-fund --no-audit --loglevel=error)
	cp "$here/package-lock.json" "$tools/installed"
fi
# Spectral looks for its rulesets beside its configuration.
cp "$here/.spectral.yaml" "$here/redocly.yaml" "$tools/"

if [ $# -eq 0 ]; then
	(cd "$root/examples/shop" && go build -o "$tools/shop" .)
	"$tools/shop" openapi >"$tools/shop.json"
	"$tools/shop" openapi --yaml >"$tools/shop.yaml"
	set -- "$tools/shop.json" "$tools/shop.yaml"
fi

failed=0
"$tools/node_modules/.bin/redocly" lint --config "$tools/redocly.yaml" --max-problems 1000 "$@" || failed=1
"$tools/node_modules/.bin/spectral" lint --ruleset "$tools/.spectral.yaml" --fail-severity hint "$@" || failed=1
exit $failed
