// Package items is what sqlc generates of the files in ../sqlc.
package items
