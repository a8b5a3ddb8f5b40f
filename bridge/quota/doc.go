// Package quota divides shared resources of a bridge among the addresses of its clients, so
// that no address can take everything.
package quota
