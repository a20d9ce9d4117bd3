// Package ogenapi is the server that ogen generates from openapi.yaml. All its
// other Go files are generated and committed, so that a run needs no generator.
package ogenapi

//go:generate go run github.com/ogen-go/ogen/cmd/ogen@v1.24.0 --config ogen.yml --target . --package ogenapi openapi.yaml
