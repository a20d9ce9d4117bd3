module github.com/fastness/fastness/internal/rigs

go 1.26.0
