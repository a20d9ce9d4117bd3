module github.com/fastness/fastness/examples/shop

go 1.26.0

require (
	github.com/fastness/fastness v0.0.0
	github.com/pressly/goose/v3 v3.29.0
	github.com/shopspring/decimal v1.5.0
	modernc.org/sqlite v1.61.1
)

replace github.com/fastness/fastness => ../../
