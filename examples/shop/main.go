// Command shop is the reference application of Fastness: the smallest shop in
// which every part of an API has its place.
//
//	go run ./examples/shop          # https://localhost:8443
//	go run ./examples/shop routes   # what is served, and who may call it
//
// Read app.go first: it lists the operations. items.go holds most of them,
// access to one item is decided in load.go, and SQL is in store.go alone.
package main

import "github.com/fastness/fastness"

func main() { fastness.Main(newApp(limits{})) }
