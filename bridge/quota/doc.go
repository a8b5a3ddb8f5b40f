// Package quota divides what all clients of a bridge share among their addresses, so that
// one address cannot take everything from the others.
package quota
