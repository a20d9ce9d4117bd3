module github.com/fastness/fastness/cbor

go 1.26.0

replace github.com/fastness/fastness => ../

require (
	github.com/fastness/fastness v0.0.0-00010101000000-000000000000
	github.com/fxamacker/cbor/v2 v2.10.0
)

require (
	github.com/alecthomas/kong v1.17.0 // indirect
	github.com/coder/websocket v1.8.15 // indirect
	github.com/shopspring/decimal v1.5.0 // indirect
	github.com/swaggest/swgui v1.8.5 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
