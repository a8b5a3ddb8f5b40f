// Package quota bounds what clients take of a bridge.
//
//	Table: shared resources, divided among the addresses of clients (table.go)
//	Usages: connections, commands and messages of each user, up to its own limits (usage.go)
package quota
