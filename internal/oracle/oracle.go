// Package oracle holds this module's parsers against independent
// implementations of the same specifications. It is a module of its own, so
// that nobody who uses the framework downloads them.
package oracle
