// Command shop is the reference application of Fastness: the smallest shop in
// which every part of an API has its place.
//
//	go run ./examples/shop          # https://localhost:8443
//	go run ./examples/shop routes   # what is served, and who may call it
//
// Read app.go first: it lists the operations. items.go, orders.go and reviews.go hold
// most of them, access to one item is decided in load.go, and SQL is in the files
// …store.go alone. page.go, itempage.go, reviewform.go and admin.go are the pages,
// browser.go is what they share, and web has their templates.
package main

import "github.com/fastness/fastness"

func main() { fastness.Main(newApp(limits{})) }
